"""World coordinates for simulated slits.

The chains of frames and the kinds of transforms are those of the official pipeline. The optics are
linear but for the shape of the traces, which is a parabola: every transform then has an exact
inverse, and the later spectroscopic steps run on simulated products.

Frames, tables and the telescope's part of the chain are built once for an `Optics` and shared by
its slits; the instrument's part is separate for each slit. As in real files, this gives YAML
aliases and internal array blocks that slits share.
"""

import math
from typing import NamedTuple

import numpy as np
from astropy import units as u
from astropy.coordinates import ICRS
from astropy.modeling import Model, bind_bounding_box
from astropy.modeling.models import (
    AffineTransformation2D,
    Const1D,
    Identity,
    Mapping,
    Polynomial2D,
    RotationSequence3D,
    Scale,
    Shift,
    Tabular1D,
)
from gwcs import coordinate_frames as cf
from gwcs.geometry import CartesianToSpherical, SphericalToCartesian
from gwcs.wcs import WCS, Step
from stdatamodels.jwst.transforms.models import Logical

DEGREE = 5
PIXEL_SCALE = 0.1  # arcsec
DETECTOR_SIZE = 2048  # pixels
SPEED_OF_LIGHT = 299792458.0  # m/s
DOMAIN = (-1, 1)
TABLE_SIZE = 256


class DetectorRegion(NamedTuple):
    """A slit's cut-out of the detector."""

    x: int  #: zero-based detector pixel of its lower left corner, as `y`
    y: int
    shape: tuple[int, int]  #: rows and columns
    order: int  #: spectral order
    along_columns: bool = False  #: whether the light is dispersed along columns

    @property
    def center(self) -> tuple[float, float]:
        """Return detector x and y of its middle, in pixels."""
        rows, columns = self.shape
        return self.x + (columns - 1) / 2, self.y + (rows - 1) / 2

    def bind_to(self, model: Model) -> None:
        """Give a transform the limits of the cut-out's pixels, x first."""
        rows, columns = self.shape
        bind_bounding_box(model, ((-0.5, columns - 0.5), (-0.5, rows - 0.5)), order="F")


class Pointing(NamedTuple):
    """Pointing of the telescope."""

    ra: float  #: sky position of the reference point and roll angle there, in degrees
    dec: float
    roll: float
    v2: float  #: telescope coordinates of the reference point, in arcsec
    v3: float
    scale: float  #: velocity aberration factor
    velocity: float  #: towards the target, in m/s


class TraceShape(NamedTuple):
    """Shape of the spectra on the detector, in pixels along and across the dispersion."""

    length: float  #: from the shortest to the longest wavelength
    tilt: float = 0.0  #: rise from one end to the other
    bow: float = 0.0  #: height of the ends above the tangent at the middle
    line_tilt: float = 0.0  #: shift of a line along the dispersion from row to row

    @property
    def rise(self) -> tuple[float, float]:
        """Return how much a trace rises with the distance from its middle, and its square."""
        return self.tilt / self.length, 4 * self.bow / self.length**2


class Evaluation(NamedTuple):
    """What the WCS says of the pixels of a cut-out, two arrays of its shape."""

    wavelengths: np.ndarray  #: in microns; NaN outside the slit
    offsets: np.ndarray  #: distances from the source across the dispersion, in pixels


class Optics:
    """Parts of the WCS that slits of one exposure have in common; wavelengths are in microns."""

    telescope: list[Step]  #: steps from the optics' last frame to the sky

    def __init__(self, pointing: Pointing, waverange: tuple[float, float]) -> None:
        low, high = waverange
        margin = 0.2 * (high - low)
        self.pointing = pointing
        # To the barycentre, in which the band is given.
        shift = 1 + pointing.velocity / SPEED_OF_LIGHT
        self.waverange = low / shift, high / shift
        self.corrected = np.linspace(low - margin, high + margin, TABLE_SIZE)
        self.wavelengths = self.corrected / shift
        self.spectral = cf.SpectralFrame(
            axes_order=(2,), unit=u.micron, axes_names=("wavelength",), name="spectral"
        )

    def locate(self, ra: float, dec: float) -> tuple[float, float]:
        """Return where a place in the sky (deg) is in the first frame of `telescope`."""
        return _apply([step.transform.inverse for step in self.telescope[-2::-1]], ra, dec)

    def project(self, x: float, y: float) -> tuple[float, float]:
        """Return right ascension and declination (deg) of a place in that frame."""
        return _apply([step.transform for step in self.telescope[:-1]], x, y)

    def wavelength_table(self) -> Model:
        """Return a new look-up table on the shared arrays, with its inverse."""
        options = {"bounds_error": False, "fill_value": None, "name": "wavelength_table"}
        # Two ways to share: views have separate nodes on one block, the arrays themselves aliases.
        table = Tabular1D(self.wavelengths[:], self.corrected[:], **options)
        table.inverse = Tabular1D(self.corrected, self.wavelengths, **options)
        return table

    def to_sky(self, *more: cf.CoordinateFrame) -> list[Step]:
        """Return the steps from V2, V3 (arcsec) to the sky (deg), by way of the aberration.

        Further axes, besides the wavelength, are those of `more`.
        """
        p = self.pointing
        angles = [p.v2 / 3600, -p.v3 / 3600, p.roll, p.dec, -p.ra]
        rotation = (
            Scale(1 / 3600) & Scale(1 / 3600)
            | SphericalToCartesian(wrap_lon_at=180)
            | RotationSequence3D(angles, axes_order="zyxyz")
            | CartesianToSpherical(wrap_lon_at=360)
        ).rename("v23tosky")
        shift = Shift((1 - p.scale) * p.v2) & Shift((1 - p.scale) * p.v3)
        aberration = (Scale(p.scale) & Scale(p.scale) | shift).rename("va_corr")
        sky = cf.CelestialFrame(name="sky", axes_order=(0, 1), reference_frame=ICRS())
        v2v3, v2v3vacorr = (
            self.frame(name, u.arcsec, ("v2", "v3"), *more) for name in ("v2v3", "v2v3vacorr")
        )
        return [
            Step(v2v3, aberration & Identity(1 + len(more))),
            Step(v2v3vacorr, rotation & Identity(1 + len(more))),
            Step(cf.CompositeFrame([sky, self.spectral, *more], name="world"), None),
        ]

    def frame(
        self, name: str, unit: u.Unit, axes: tuple[str, str], *more: cf.CoordinateFrame
    ) -> cf.CompositeFrame:
        """Return plane coordinates with the wavelength, and `more`, as further axes."""
        plane = cf.Frame2D(name=f"{name}_spatial", unit=(unit, unit), axes_names=axes)
        return cf.CompositeFrame([plane, self.spectral, *more], name=name)


class Slit(NamedTuple):
    """A slit of NIRSpec."""

    center: tuple[float, float]  #: among the shutters, in metres
    height: float  #: unit of positions in the slit, in arcsec
    #: Units by which the origin of positions in the slit is above the middle of the cut-out.
    primary: int = 0
    limits: tuple[float, float] | None = None  #: of positions along the slit that have a WCS


class NirspecOptics(Optics):
    """Optics of NIRSpec slits, from detector pixels to right ascension, declination, microns."""

    ANGLE = 1e-5  # radians at the grating wheel a pixel
    PITCH = 2e-4  # metres at the shutters a shutter
    SHUTTER = 0.5  # arcsec

    def __init__(self, pointing: Pointing, waverange: tuple[float, float]) -> None:
        super().__init__(pointing, waverange)
        degrees = self.SHUTTER / self.PITCH / 3600
        self.detector, self.sca = (cf.Frame2D(name=name) for name in ("detector", "sca"))
        self.gwa = cf.Frame2D(name="gwa", unit=(u.rad, u.rad), axes_names=("alpha_in", "beta_in"))
        self.slit_frame = self.frame("slit_frame", u.one, ("x_slit", "y_slit"))
        to_oteip = _optics("fore", degrees, degrees) & Identity(1)
        to_v2v3 = _optics("ote", 3600, 3600, pointing.v2, pointing.v3) & Identity(1)
        self.telescope = [
            Step(self.frame("msa_frame", u.m, ("x_msa", "y_msa")), to_oteip),
            Step(self.frame("oteip", u.deg, ("x_oteip", "y_oteip")), to_v2v3),
            *self.to_sky(),
        ]

    def build_wcs(self, region: DetectorRegion, shape: TraceShape, slit: Slit) -> WCS:
        """Return the world coordinates of one slit: x, y to ra, dec (deg), wavelength (micron)."""
        x, y = region.center
        to_sca = Shift(region.x) & Shift(region.y) | Identity(2)
        region.bind_to(to_sca)
        turn = AffineTransformation2D(np.eye(2), np.zeros(2), name="fpa_affine_detector2sky")
        to_gwa = Shift(-1024) & Shift(-1024) | turn | _optics("camera", self.ANGLE, self.ANGLE)
        center = Shift((x - 1024) * self.ANGLE) & Shift((y - 1024) * self.ANGLE)
        unit = self.metres(slit.height)
        x_msa, y_msa = slit.center
        to_msa = (
            Scale(unit) & Scale(unit) | Shift(x_msa) & Shift(y_msa + slit.primary * unit)
        ) & Identity(1)
        return WCS(
            [
                Step(self.detector, to_sca.rename("dms2sca")),
                Step(self.sca, to_gwa.rename("det2gwa")),
                Step(self.gwa, center.inverse | self._to_slit(shape, slit)),
                Step(self.slit_frame, to_msa.rename("slit2msa")),
                *self.telescope,
            ]
        )

    def metres(self, arcsec: float) -> float:
        """Return a distance among the shutters."""
        return arcsec * self.PITCH / self.SHUTTER

    @staticmethod
    def evaluate(wcs: WCS, region: DetectorRegion, slit: Slit, source_ypos: float) -> Evaluation:
        """Return what a slit's WCS says of its pixels, with a source there in the slit."""
        rows, columns = np.indices(region.shape, float)
        values: tuple[np.ndarray, ...] = (columns, rows)
        for step in wcs.pipeline[:3]:
            values = step.transform(*values)
        _, y_slit, wavelengths = values
        return Evaluation(wavelengths, (y_slit - source_ypos) * slit.height / PIXEL_SCALE)

    def _to_slit(self, shape: TraceShape, slit: Slit) -> Model:
        """Return the transform from angles relative to the slit to slit position and wavelength.

        With the distance along the dispersion ``d = alpha + line_tilt * beta``, a trace is
        ``beta = y / slope + rise * d + curve * d**2``, and the wavelength is linear in ``d``.
        """
        low, high = self.waverange
        middle = (low + high) / 2
        dispersion = (high - low) / shape.length / self.ANGLE
        slope = PIXEL_SCALE / slit.height / self.ANGLE
        k = shape.line_tilt
        rise, curve = shape.rise
        curve /= self.ANGLE
        table = self.wavelength_table()
        forward = (
            _optics("collimator")
            | Mapping((0, 1, 0, 1, 0, 1))
            | _polynomial("x_slit")
            & _polynomial(
                "y_slit",
                **{"c0_0": -slit.primary, "c1_0": -slope * rise, "c0_1": slope * (1 - k * rise)},
                **{"c2_0": -slope * curve, "c1_1": -2 * k * slope * curve},
                c0_2=-(k**2) * slope * curve,
            )
            & _polynomial("wavelength", c0_0=middle, c1_0=dispersion, c0_1=k * dispersion)
            | Identity(2) & table
        )
        if slit.limits:
            forward = forward | _mask(*slit.limits)
        beta = _parabola(middle, dispersion, rise, curve)
        beta["c0_0"] += slit.primary / slope
        beta["c0_1"] = 1 / slope
        alpha = {name: -k * value for name, value in beta.items()}
        alpha["c0_0"] -= middle / dispersion
        alpha["c1_0"] += 1 / dispersion
        forward.inverse = (
            Identity(2) & table.inverse
            | Mapping((2, 1, 2, 1))
            | _polynomial("alpha", **alpha) & _polynomial("beta", **beta)
            | _optics("collimator")
        )
        return forward.rename("gwa2slit")


class GrismOptics(Optics):
    """Optics of grism cut-outs, from pixels to right ascension, declination, microns, order."""

    def __init__(
        self, pointing: Pointing, waverange: tuple[float, float], *, shared: bool = False
    ) -> None:
        super().__init__(pointing, waverange)
        order = cf.CoordinateFrame(
            1, "OTHER", axes_order=(3,), unit=u.one, axes_names=("order",), name="order"
        )
        self.grism_slit, self.grism_detector = (
            cf.Frame2D(name=name) for name in ("grism_slit", "grism_detector")
        )
        distortion = (
            Shift(-1024) & Shift(-1024)
            | _distortion("distortion", PIXEL_SCALE, PIXEL_SCALE, pointing.v2, pointing.v3)
        ) & Identity(2)
        detector = self.frame("detector", u.pixel, ("x", "y"), order)
        self.telescope = [Step(detector, distortion), *self.to_sky(order)]
        self._shared: dict[int, list[Step]] | None = {} if shared else None

    def build_wcs(
        self, region: DetectorRegion, shape: TraceShape, source: tuple[float, float]
    ) -> WCS:
        """Return the world coordinates of one cut-out: x, y to ra, dec, wavelength, order."""
        constants = [Const1D(value) for value in (*source, region.order)]
        for constant in constants:
            constant.inverse = Const1D(constant.amplitude.value)
        source_x, source_y, order = constants
        to_grism = Mapping((0, 1, 0, 0, 0)) | (
            Shift(region.x) & Shift(region.y) & source_x & source_y & order
        )
        region.bind_to(to_grism)
        dispersion = Step(self.grism_detector, self._dispersion(region, shape))
        wcs = WCS([Step(self.grism_slit, to_grism), dispersion, *self.telescope])
        if self._shared is not None:
            wcs.pipeline[1:] = self._shared.setdefault(region.order, wcs.pipeline[1:])
        return wcs

    @staticmethod
    def evaluate(wcs: WCS, region: DetectorRegion) -> Evaluation:
        """Return what a cut-out's WCS says of its pixels."""
        rows, columns = np.indices(region.shape, float)
        to_grism, to_detector = (step.transform for step in wcs.pipeline[:2])
        pixels = to_grism(columns, rows)
        at_source = to_detector(*pixels)
        axis = 0 if region.along_columns else 1
        return Evaluation(at_source[2], pixels[axis] - to_detector.inverse(*at_source)[axis])

    def _dispersion(self, region: DetectorRegion, shape: TraceShape) -> Model:
        """Return the transform from a pixel, that of its source and the order to a wavelength.

        The source is where its trace has the middle of the band. Negative orders are reversed.
        """
        low, high = self.waverange
        slope = math.copysign((high - low) / shape.length, region.order)
        middle = (low + high) / 2
        table = self.wavelength_table()
        along = int(region.along_columns)
        forward = (
            Mapping((2, 3, along, 2 + along, 4))
            | Identity(2)
            & _polynomial("wavelength", c0_0=middle, c1_0=slope, c0_1=-slope)
            & Identity(1)
            | Identity(2) & table & Identity(1)
        )
        rise = {"c0_1": 1.0, **_parabola(middle, slope, *shape.rise)}
        traces = [
            _polynomial("trace", c0_0=-middle / slope, c1_0=1 / slope, c0_1=1.0),
            _polynomial("height", **rise),
        ]
        x, y = reversed(traces) if region.along_columns else traces
        forward.inverse = (
            Identity(2) & table.inverse & Identity(1)
            | Mapping((2, 0, 2, 1, 0, 1, 3))
            | x & y & Identity(3)
        )
        return forward.rename("grism_dispersion")


def _apply(transforms: list[Model], first: float, second: float) -> tuple[float, float]:
    """Return the first two coordinates after several transforms; the others begin as zeros."""
    values: tuple[float, ...] = (first, second, *[0.0] * (transforms[0].n_inputs - 2))
    for transform in transforms:
        values = transform(*values)
    return float(values[0]), float(values[1])


def _mask(low: float, high: float) -> Model:
    """Return NaN for positions outside the limits of a slit, as ``jwst.assign_wcs`` does."""
    above = Logical(condition="GT", compareto=high, value=np.nan)
    below = Logical(condition="LT", compareto=low, value=np.nan)
    add = Mapping((0,), n_inputs=2) + Mapping((1,))
    mask = (
        Mapping((0, 1, 2, 1))
        | Identity(3) & (above | below | Scale(0))
        | Mapping((0, 1, 3, 2, 3))
        | Identity(1) & add & add
    )
    mask.inverse = Identity(3)
    return mask


def _parabola(middle: float, slope: float, rise: float, curve: float) -> dict[str, float]:
    """Return the coefficients of ``rise * d + curve * d**2`` with wavelength = middle + slope d."""
    return {
        "c0_0": -rise * middle / slope + curve * (middle / slope) ** 2,
        "c1_0": rise / slope - 2 * curve * middle / slope**2,
        "c2_0": curve / slope**2,
    }


def _polynomial(name: str, **coefficients: float) -> Model:
    """Return a polynomial of few terms, written with all coefficients of a real distortion."""
    limits = {f"{axis}_{kind}": DOMAIN for axis in "xy" for kind in ("domain", "window")}
    return Polynomial2D(DEGREE, name=name, **coefficients, **limits)


def _optics(
    name: str, x_slope: float = 1, y_slope: float = 1, x_0: float = 0, y_0: float = 0
) -> Model:
    """Return a distortion, then an affine transform, as in reference files of NIRSpec."""
    turn = AffineTransformation2D(np.eye(2), np.zeros(2), name=f"{name}_affine_d2s")
    before, after = (
        Shift(0.0, name=f"{name}_x{side}cen_d2s") & Shift(0.0, name=f"{name}_y{side}cen_d2s")
        for side in ("in", "out")
    )
    return _distortion(name, x_slope, y_slope, x_0, y_0) | (before | turn | after)


def _distortion(name: str, x_slope: float, y_slope: float, x_0: float = 0, y_0: float = 0) -> Model:
    """Return a two-dimensional distortion, in the form of the reference files."""
    x = _polynomial(f"{name}_x_forward", c0_0=x_0, c1_0=x_slope)
    y = _polynomial(f"{name}_y_forward", c0_0=y_0, c0_1=y_slope)
    x.inverse = _polynomial(f"{name}_x_backward", c0_0=-x_0 / x_slope, c1_0=1 / x_slope)
    y.inverse = _polynomial(f"{name}_y_backward", c0_0=-y_0 / y_slope, c0_1=1 / y_slope)
    split, join = Mapping((0, 1, 0, 1), name="input_mapping"), Identity(2, name="output_mapping")
    split.inverse, join.inverse = Identity(2), Mapping((0, 1, 0, 1))
    return split | x & y | join
