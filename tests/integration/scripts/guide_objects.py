# Proxies as the Python objects they are: in loops, sets and dictionaries, in functions and classes of the user's.
import paraview
from paraview import servermanager
from paraview.simple import *

paraview.simple._DisableFirstRenderCameraReset()


class Study:
    """Keeps a source and one contour of it per value."""

    def __init__(self, source, values):
        self.source = source
        self.contours = {value: Contour(Input=source, ContourBy=["POINTS", "RTData"], Isosurfaces=[value]) for value in values}

    def cells(self):
        for contour in self.contours.values():
            contour.UpdatePipeline()
        return [contour.GetDataInformation().GetNumberOfCells() for contour in self.contours.values()]


def colour(proxy, rgb, view=None):
    display = GetDisplayProperties(proxy, view or GetActiveView())
    display.AmbientColor = display.DiffuseColor = rgb
    return display


wavelet = Wavelet(registrationName="shared")
study = Study(wavelet, (100.0, 150.0, 200.0))
print(study.cells())

assert FindSource("shared") == wavelet
assert FindSource("nothing") is None
assert wavelet != study.contours[100.0]
assert study.contours[150.0].Input == wavelet
assert len({FindSource("shared"), wavelet, GetActiveSource()}) == 2
assert isinstance(wavelet, servermanager.SourceProxy)
assert not isinstance(wavelet.WholeExtent, servermanager.Proxy)
names = {source: name for (name, _), source in GetSources().items()}
print(sorted(names.values()), names[wavelet])

print(wavelet.WholeExtent, len(wavelet.WholeExtent), list(wavelet.WholeExtent)[::2], wavelet.WholeExtent[-1])
wavelet.WholeExtent[1:2] = [5]
x0, x1, *rest = wavelet.WholeExtent
print(x0, x1, rest, 5 in list(wavelet.WholeExtent), wavelet.GetProperty("WholeExtent").GetData())
for property_name in wavelet.ListProperties():
    value = wavelet.GetPropertyValue(property_name)
    if isinstance(value, (int, float)):
        print(property_name, value)
print(Contour(Input=wavelet).GetProperty("PointMergeMethod").Available)

for attempt in ("wavelet.Maximun = 3", "Sphere(Radios=2)", "wavelet.WholeExtent = 'wide'", "wavelet.NoSuchThing"):
    try:
        exec(attempt)
    except Exception as error:
        print(type(error).__name__, str(error).splitlines()[0])

view = CreateView("RenderView")
view.ViewSize = [300, 200]
for contour, rgb in zip(study.contours.values(), ([1, 0, 0], [0, 1, 0], [0, 0, 1])):
    Show(contour, view)
    colour(contour, rgb, view).Opacity = 0.4
RenameSource("renamed", wavelet)
print(sorted(name for name, _ in GetSources()))
Delete(study.contours.pop(200.0))
print(len(GetSources()), len(view.Representations))
group = GroupDatasets(Input=list(study.contours.values()))
group.UpdatePipeline()
print(group.GetDataInformation().GetNumberOfCells(), GetActiveSource() == group)
with open("state.txt", "w") as file:
    file.write(str(len(servermanager.ProxyManager().GetProxiesInGroup("sources"))))
view.CameraPosition = [30, 30, 30]
view.CameraFocalPoint = [0, 0, 0]
Render()
