#!/bin/sh
# Sets up demo or smoke, and runs a command on the notebook for what draws: sh tools/engine.sh demo|smoke ENGINE COMMAND...
#
# ParaView where it is there or can be installed; or else VTK's wheel, which needs neither root nor ParaView.
set -eu
cd "$(dirname "$0")/.."
target=$1 engine=$2
shift 2

case $engine in
paraview) sh tools/setup.sh "$target" ;;
vtk) sh tools/setup.sh "$target-vtk" ;;
"")
    if sh tools/setup.sh "$target"; then
        engine=paraview
    else
        echo "pvlink: going on without ParaView: VTK draws, which comes with pip (ENGINE=paraview insists on ParaView)." >&2
        sh tools/setup.sh "$target-vtk"
        engine=vtk
    fi
    ;;
*)
    echo "pvlink: ENGINE=$engine: it is paraview, vtk, or empty." >&2
    exit 2
    ;;
esac

if [ "$engine" = vtk ]; then
    # The kernel's Python has no VTK of its own: what it imports is the engine's.
    PVLINK_PVPYTHON=$PWD/.venv/envs/vtk/bin/python
    export PVLINK_PVPYTHON
    exec "$@" notebooks/01-vtk.ipynb
fi
exec "$@" notebooks/00-hello.ipynb
