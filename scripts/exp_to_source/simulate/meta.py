"""Exposure metadata for simulated products.

It fills about 200 cards, as in a real primary header after stage 2.
"""

import math
from typing import Any

from .modes import Mode
from .wcs import Pointing

DETECTOR1_STEPS = "dq_init saturation superbias refpix linearity dark_sub jump ramp_fit gain_scale"
DETECTOR1_FILES = "dark gain linearity mask readnoise refpix saturation superbias"


def nod_of(number: int, height: float) -> float:
    """Return how far a nod moves sources along their slits, in arcsec.

    Parameters
    ----------
    number : int
        Number of the exposure, from one.
    height : float
        Height of the cut-outs, in arcsec; the nod is a shutter, if that is high enough.
    """
    return min(0.5, height / 6) * (0, 1, -1)[(number - 1) % 3]


def pointing_of(number: int, nod: float = 0.0) -> Pointing:
    """Return where the telescope points in exposure `number`, none of which is like another."""
    ra, dec, roll = 53.15, -27.8, 10.0
    sine, cosine = math.sin(math.radians(roll)), math.cos(math.radians(roll))
    across = 0.01 * number
    east = (across * cosine - nod * sine) / 3600
    north = (-across * sine - nod * cosine) / 3600
    ra += east / math.cos(math.radians(dec))
    return Pointing(ra=ra, dec=dec + north, roll=roll, v2=378.5, v3=-428.4, scale=1.00003)


def exposure_meta(
    mode: Mode,
    *,
    number: int,
    total: int,
    nod: float,
    detector: str,
    program: int,
    observation: int,
    version: str,
    filename: str,
    association: str,
) -> dict[str, Any]:
    """Return the metadata of one exposure.

    Parameters
    ----------
    mode : Mode
        Observing mode.
    number, total : int
        Number of the exposure, from one, and how many there are.
    nod : float
        How far it is nodded along the slits, in arcsec.
    detector : str
        Detector.
    program, observation : int
        Numbers of the program and of the observation in it.
    version : str
        Version of the calibration software.
    filename : str
        Name of its file.
    association : str
        Name of the level-2 association.

    Returns
    -------
    dict
        The ``meta`` of a data model; a new tree with each call.
    """
    visit = f"{program:05}{observation:03}001"
    start = 60000 + 0.02 * number
    hours, minutes = divmod(29 * number, 60)
    clock = f"2023-02-25T{hours:02}:{minutes:02}"
    pointing = pointing_of(number, nod)
    crds = f"crds://jwst_{mode.instrument.lower()}"
    return {
        "origin": "STSCI",
        "telescope": "JWST",
        "time_sys": "UTC",
        "time_unit": "s",
        "data_processing_software_version": "2024_1a",
        "prd_software_version": "PRDOPSSOC-068",
        "oss_software_version": "8.4.11",
        "guide_star_catalog_version": "GSC30",
        "calibration_software_version": version,
        "calibration_software_revision": "RELEASE",
        "filename": filename,
        "hga_move": False,
        "pwfseet": 59998.2,
        "nwfsest": 60001.3,
        "compress": False,
        "asn": {"pool_name": f"jw{program:05}_pool.csv", "table_name": association},
        "program": {
            "title": "A simulated program",
            "pi_name": "Nobody",
            "category": "GO",
            "sub_category": "NONE",
            "science_category": "Galaxies",
            "continuation_id": 0,
        },
        "observation": {
            "date": "2023-02-25",
            "time": f"{clock[11:]}:01.000",
            "date_beg": f"{clock}:01.000",
            "date_end": f"{clock}:59.000",
            "obs_id": f"V{visit}P0000000003101",
            "visit_id": visit,
            "program_number": f"{program:05}",
            "observation_number": f"{observation:03}",
            "visit_number": "001",
            "visit_group": "03",
            "sequence_id": "1",
            "activity_id": "01",
            "exposure_number": str(number),
            "bkgdtarg": False,
            "template": mode.template,
            "observation_label": "simulated field",
            "observation_folder": "spectra",
        },
        "visit": {
            "engineering_quality": "OK",
            "engdb_pointing_quality": "CALCULATED_TRACK_TR_202111",
            "type": "PRIME_TARGETED_FIXED",
            "start_time": "2023-02-25 00:00:01.0000000",
            "status": "SUCCESSFUL",
            "total_exposures": total,
            "internal_target": False,
            "too_visit": False,
            "tsovisit": False,
            "exp_only": False,
            "crowded_field": False,
        },
        "target": {
            "proposer_name": "FIELD",
            "catalog_name": "",
            "type": "FIXED",
            "category": "Galaxy",
            "description": "High-redshift galaxies",
            "ra": 53.15,
            "dec": -27.8,
            "ra_uncertainty": 0.1,
            "dec_uncertainty": 0.1,
            "proper_motion_ra": 0.0,
            "proper_motion_dec": 0.0,
            "proper_motion_epoch": "2000.0",
            "proposer_ra": 53.15,
            "proposer_dec": -27.8,
            "source_type_apt": "UNKNOWN",
        },
        "instrument": {
            "name": mode.instrument,
            "detector": detector.upper(),
            **mode.elements,
            **_mechanisms(mode.exposure_type, visit),
        },
        "exposure": {
            "count": number,
            "prime_parallel": "PRIME",
            "type": mode.exposure_type,
            "start_time": start,
            "mid_time": start + 0.005,
            "end_time": start + 0.01,
            "start_time_mjd": start,
            "mid_time_mjd": start + 0.005,
            "end_time_mjd": start + 0.01,
            "start_time_tdb": start + 0.004,
            "mid_time_tdb": start + 0.009,
            "end_time_tdb": start + 0.014,
            "osf_file": "2023056T010203000_001_osf.xml",
            "readpatt": mode.readpatt,
            "noutputs": 4,
            "nints": 1,
            "integration_start": 1,
            "integration_end": 1,
            "ngroups": 11,
            "nframes": 5,
            "frame_divisor": 5,
            "groupgap": 0,
            "drop_frames1": 0,
            "drop_frames3": 0,
            "nsamples": 1,
            "sample_time": 10.0,
            "frame_time": 14.58889,
            "group_time": 72.94445,
            "integration_time": 802.389,
            "exposure_time": 802.389,
            "effective_exposure_time": 802.389,
            "measurement_time": 729.4445,
            "duration": 816.978,
            "elapsed_exposure_time": 816.978,
            "nresets_at_start": 1,
            "nresets_between_ints": 1,
            "zero_frame": False,
            "data_problem": False,
            "sca_num": 491,
            "datamode": 88,
            "gain_factor": 1.0,
            "imprint": False,
            "psf_reference": False,
            "self_reference_survey": False,
        },
        "subarray": {
            "name": mode.subarray,
            "xstart": 1,
            "ystart": 1,
            "xsize": 2048,
            "ysize": 2048,
            "fastaxis": 2,
            "slowaxis": 1,
        },
        "dither": {
            "primary_type": "NONE",
            "position_number": number,
            "pattern_start": 1,
            "total_points": total,
            "nod_type": "3-SHUTTER-SLITLET",
            "pattern_size": "None",
            "small_grid_pattern": "None",
            "subpixel_pattern": "NONE",
            "x_offset": 0.01 * number,
            "y_offset": nod,
            "dithered_ra": pointing.ra,
            "dithered_dec": pointing.dec,
        },
        "ephemeris": {
            "reference_frame": "EME2000",
            "type": "Predicted",
            "time": start,
            "spatial_x_bary": -1.3e8,
            "spatial_y_bary": 6.1e7,
            "spatial_z_bary": 2.7e7,
            "spatial_x_geo": -2.7e8,
            "spatial_y_geo": 1.6e9,
            "spatial_z_geo": 2.6e8,
            "velocity_x_bary": -14.1,
            "velocity_y_bary": -23.9,
            "velocity_z_bary": -10.4,
            "velocity_x_geo": -50.5,
            "velocity_y_geo": 14.3,
            "velocity_z_geo": -72.5,
        },
        "aperture": {"name": mode.aperture, "pps_name": mode.aperture, "position_angle": 148.5},
        "pointing": {"ra_v1": 53.1, "dec_v1": -27.6, "pa_v3": pointing.roll},
        "velocity_aberration": {
            "scale_factor": pointing.scale,
            "va_ra_ref": pointing.ra,
            "va_dec_ref": pointing.dec,
        },
        "time": {
            f"{system}_{name}": start + offset
            for system in ("barycentric", "heliocentric")
            for offset, name in enumerate(("correction", "expstart", "expmid", "expend"))
        },
        "guidestar": {
            "gs_order": 1,
            "gs_start_time": f"{clock}:00.0",
            "gs_stop_time": f"{clock}:59.9",
            "gs_id": "S3FL000123",
            "gs_ra": 53.01,
            "gs_dec": -27.7,
            "gs_ura": 1e-7,
            "gs_udec": 1e-7,
            "gs_mag": 15.2,
            "gs_umag": 0.1,
            "gs_v3_pa_science": pointing.roll,
            "gs_pcs_mode": "FINEGUIDE",
            "visit_end_time": "2023-02-25 23:59:59.0000000",
            "fgs_aperture": "FGS1_FULL",
            "gs_ideal_x": 11.2,
            "gs_ideal_y": -40.1,
            "fgs_v2_ref": 207.19,
            "fgs_v3_ref": -697.5,
            "fgs_roll_ref": pointing.roll,
            "fgs_v3yangle": -1.25,
            "fgs_vparity": -1,
            "gs_acq_exec_stat": "COMPLETED",
            "gs_epoch": "2016.0",
            "gs_mura": 0.0,
            "gs_mudec": 0.0,
            "gs_para": 0.0,
        },
        "ref_file": {
            "crds": {"sw_version": "11.17.19", "context_used": "jwst_1230.pmap"},
            **{
                name: {"name": f"{crds}_{name}_0001.fits"}
                for name in f"{DETECTOR1_FILES} {mode.files}".split()
            },
        },
        "cal_step": completed(f"{mode.steps} photom"),
    }


def _mechanisms(exposure_type: str, visit: str) -> dict[str, Any]:
    """Return the states of the grating wheel and of the micro-shutters of NIRSpec."""
    if not exposure_type.startswith("NRS_"):
        return {}
    wheel = {
        "focus_position": 3,
        "gwa_xtilt": 0.3381854,
        "gwa_ytilt": 0.0320278,
        "gwa_tilt": 36.051975,
        "gwa_xp_v": 169.4531388,
        "gwa_yp_v": 16.0452692,
        "gwa_pxav": 169.430266,
        "gwa_pyav": 16.0338328,
        "lamp_state": "NONE",
    }
    if exposure_type != "NRS_MSASPEC":
        return wheel
    return wheel | {
        "msa_state": "PRIMARYPARK_CONFIG",
        "msa_metadata_file": f"jw{visit}_01_msa.fits",
        "msa_metadata_id": 1,
        "msa_configuration_id": 1,
    }


def completed(steps: str) -> dict[str, str]:
    """Return the state of the steps of stage 1, and of these of stage 2."""
    return dict.fromkeys(f"{DETECTOR1_STEPS} {steps}".split(), "COMPLETE")


def wcsinfo(mode: Mode, pointing: Pointing, order: int) -> dict[str, Any]:
    """Return the world coordinate keywords of one slit."""
    low, high = mode.waverange
    corners = ((-0.01, -0.01), (0.01, -0.01), (0.01, 0.01), (-0.01, 0.01))
    polygon = " ".join(f"{pointing.ra + x:.9f} {pointing.dec + y:.9f}" for x, y in corners)
    return {
        "dispersion_direction": 1,
        "spectral_order": order,
        "waverange_start": low,
        "waverange_end": high,
        "v2_ref": pointing.v2,
        "v3_ref": pointing.v3,
        "vparity": -1,
        "v3yangle": 138.5,
        "ra_ref": pointing.ra,
        "dec_ref": pointing.dec,
        "roll_ref": pointing.roll,
        "s_region": f"POLYGON ICRS  {polygon}",
        "specsys": "BARYCENT",
        "velosys": 1234.5,
    }
