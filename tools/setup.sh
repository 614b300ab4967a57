#!/bin/sh
# Makes this machine ready for one make target: sh tools/setup.sh demo|demo-vtk|smoke|smoke-vtk|test|check|build|docs|bench
#
# System packages come from apt, because ParaView, Xvfb and a browser cannot come from PyPI; the rest goes
# into .venv (tools/bootstrap.py). POSIX sh: a bare Debian has neither bash's extras nor Python.
set -eu
cd "$(dirname "$0")/.."
target=${1:-nothing}
case $target in demo | demo-vtk | smoke | smoke-vtk | test | check | build | docs | bench) ;; *)
    echo "usage: setup.sh demo|demo-vtk|smoke|smoke-vtk|test|check|build|docs|bench" >&2
    exit 2
    ;;
esac

say() { printf 'pvlink: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# The newest-enough Python: $PYTHON, the environment already made, python3, then any other on PATH.
find_python() {
    for candidate in "${PYTHON:-}" .venv/bin/python python3 python3.14 python3.13 python3.12 python3.11; do
        if [ -n "$candidate" ] && have "$candidate" &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

# Ubuntu's chromium package only fetches a snap, which wants systemd: there Playwright brings the browser.
browser_from_apt() { ! grep -qs '^ID=ubuntu' /etc/os-release; }
have_browser() {
    [ -n "${PVLINK_CHROMIUM:-}" ] || have chromium || have chromium-browser || have google-chrome
}

packages=""
reasons=""
want() { # want REASON PACKAGE...
    reasons="$reasons${reasons:+, }$1"
    shift
    packages="$packages${packages:+ }$*"
}

missing() {
    packages="" reasons=""
    python=$(find_python)
    if [ -z "$python" ]; then
        have python3 || want "Python" python3 python3-venv
    elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        want "Python's venv" "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    fi
    case $target in demo | smoke | test | bench)
        if [ -z "${PVLINK_PVPYTHON:-}" ]; then
            if ! have pvpython; then
                want "ParaView" paraview python3-paraview
            elif [ "$(command -v pvpython)" = /usr/bin/pvpython ] && [ ! -d /usr/lib/python3/dist-packages/paraview ]; then
                want "ParaView's Python modules" python3-paraview
            fi
        fi
        have Xvfb || want "an X server without a screen" xvfb
        ;;
    esac
    # A cluster of this machine alone; munge and Slurm's nodes are root's.
    if [ "$target" = test ] && [ "$(id -u)" = 0 ] && ! { have slurmctld && have slurmd && have sbatch && have munged; }; then
        want "Slurm" slurmctld slurmd slurm-client munge
    fi
    if [ "$target" = test ] && [ "$(id -u)" = 0 ] && ! { [ -x /usr/sbin/sshd ] && have nft && have ip; }; then
        want "ssh and networks to test on" openssh-server nftables iproute2
    fi
    case $target in smoke | smoke-vtk | test | bench)
        if ! have_browser && browser_from_apt; then
            want "a browser" chromium fonts-dejavu-core
        fi
        ;;
    esac
}

install() {
    command="apt-get update && apt-get install --yes --no-install-recommends $packages"
    if ! have apt-get; then
        say "this machine lacks $reasons, and has no apt-get. Install these with its own package manager, then run make $target again."
        return 1
    fi
    if [ "$(id -u)" = 0 ]; then
        root=""
    elif have sudo && sudo -n true 2>/dev/null; then
        root="sudo -n"
    else
        say "this machine lacks $reasons, and installing that needs root. Run this, then make $target again:"
        printf "\n    sudo sh -c '%s'\n\n" "$command" >&2
        return 1
    fi
    say "this machine lacks $reasons."
    say "installing with apt: $packages"
    # Words of $root and $packages are meant to split.
    # shellcheck disable=SC2086
    $root env DEBIAN_FRONTEND=noninteractive sh -c "$command" </dev/null >&2 || {
        say "apt could not install $packages (its message is above)."
        return 1
    }
}

missing
if [ -n "$packages" ] && ! install; then
    # Tests that need what is missing say so and are skipped; everything else has nothing to show without it.
    if [ "$target" = test ] && [ -n "$python" ] && "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        say "going on: tests that need what is missing will be skipped or fail."
    else
        exit 1
    fi
fi

python=$(find_python)
if [ -z "$python" ]; then
    say "pvlink needs Python 3.11 or newer; python3 here is $(python3 -c 'import platform; print(platform.python_version())' 2>/dev/null || echo missing)."
    say "Ubuntu 22.04: sudo apt-get install python3.11 python3.11-venv. Elsewhere: PYTHON=/path/to/python3.12 make $target"
    exit 1
fi
exec "$python" tools/bootstrap.py "$target"
