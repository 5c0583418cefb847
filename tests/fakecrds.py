"""A cache of CRDS with a context that is made up, for trials without network."""

import json
from pathlib import Path

import asdf

OBSERVATORY = "jwst"

#: Types of reference files that the steps ask for.
TYPES = (
    *("extract1d", "apcorr", "psf", "pastasoss", "specprofile", "speckernel", "cubepar"),
    *("photom", "area", "mrsptcorr"),
)
EXPOSURE_TYPES = {
    "NIRSPEC": ("NRS_MSASPEC", "NRS_FIXEDSLIT"),
    "NIRCAM": ("NRC_WFSS",),
    "NIRISS": ("NIS_WFSS",),
    "MIRI": ("MIR_WFSS",),
}

#: What tells when an exposure was taken.
DATE = ("META.OBSERVATION.DATE", "META.OBSERVATION.TIME")

#: What reference files have in common.
META = {
    **{"author": "made up", "description": "made up", "pedigree": "GROUND"},
    **{"telescope": "JWST", "useafter": "2014-01-01T00:00:00"},
}

Parameters = dict[str, object]


class Crds:
    """A cache in a folder.

    Parameters
    ----------
    root : Path
        The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.maps = self.folder("mappings", OBSERVATORY)
        self.contexts: list[str] = []

    def folder(self, *words: str) -> Path:
        path = self.root.joinpath(*words)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def add(
        self, context: int, parameters: dict[str, Parameters], width: int = 7, later: str = ""
    ) -> str:
        """Add a context with parameters by step, of NIRSpec, and apertures of a width.

        Exposures since a date have apertures of their own.
        """
        name = f"jwst_{context:04d}.pmap"
        instruments = {}
        for instrument, types in EXPOSURE_TYPES.items():
            low = instrument.lower()
            kinds = dict.fromkeys(TYPES, "N/A")
            if instrument == "NIRSPEC":
                kinds["extract1d"] = self.apertures(context, width)
                for step, own in parameters.items():
                    kind = f"pars-{step.replace('_', '')}step"
                    kinds[kind] = self.parameters(context, kind, step, own)
            rmaps = {}
            for kind, file in kinds.items():
                rmap = f"jwst_{low}_{kind}_{context:04d}.rmap"
                files = {"2014-01-01 00:00:00": file}
                if later and kind == "extract1d":
                    files[later] = self.apertures(context + 1, width)
                rows = "".join(f"    ('{one}',) : UseAfter({files}),\n" for one in types)
                header = {
                    **{"derived_from": "none", "filekind": kind.upper(), "name": rmap},
                    **{"instrument": instrument, "mapping": "REFERENCE", "observatory": "JWST"},
                    **{"parkey": (("META.EXPOSURE.TYPE",), DATE), "sha1sum": "0", "suffix": kind},
                    **{"text_descr": kind, "classes": ("Match", "UseAfter")},
                }
                self.mapping(rmap, header, f"Match({{\n{rows}}})")
                rmaps[kind.upper()] = rmap
            imap = f"jwst_{low}_{context:04d}.imap"
            header = {"derived_from": "none", "instrument": instrument, "mapping": "INSTRUMENT"}
            header |= {"name": imap, "observatory": "JWST", "parkey": ("REFTYPE",), "sha1sum": "0"}
            self.mapping(imap, header, repr(rmaps))
            instruments[instrument] = imap
        header = {"derived_from": "none", "mapping": "PIPELINE", "name": name, "sha1sum": "0"}
        header |= {"observatory": "JWST", "parkey": ("META.INSTRUMENT.NAME",)}
        self.mapping(name, header, repr(instruments))
        server = {
            **dict.fromkeys(("operational_context", "latest_context", "edit_context"), name),
            **{"observatory": OBSERVATORY, "last_synced": "", "bad_files_list": []},
            **{"bad_files": "", "force_remote_mode": False, "mappings": []},
        }
        self.folder("config", OBSERVATORY).joinpath("server_config").write_text(repr(server))
        return name

    def mapping(self, name: str, header: dict[str, object], selector: str) -> None:
        self.maps.joinpath(name).write_text(f"header = {header!r}\n\nselector = {selector}\n")

    def apertures(self, context: int, width: int) -> str:
        name = f"jwst_nirspec_extract1d_{context:04d}.json"
        aperture = {
            **{"id": "ANY", "region_type": "target", "bkg_order": 0, "dispaxis": 1},
            **{"extract_width": width, "use_source_posn": False},
        }
        content = {"reftype": "EXTRACT1D", "instrument": "NIRSPEC", "exp_type": "NRS_MSASPEC"}
        content |= {**META, "history": "none", "apertures": [aperture]}
        self.folder("references", OBSERVATORY, "nirspec").joinpath(name).write_text(
            json.dumps(content)
        )
        return name

    def parameters(self, context: int, kind: str, step: str, own: Parameters) -> str:
        name = f"jwst_nirspec_{kind}_{context:04d}.asdf"
        words = "".join(word.capitalize() for word in step.split("_"))
        meta = {**META, "date": "2026-01-01T00:00:00", "origin": "STScI", "reftype": "pars"}
        tree = {
            **{"class": f"jwst.{step}.{words}Step", "name": step, "parameters": own},
            "meta": {**meta, "instrument": {"name": "NIRSPEC"}},
        }
        asdf.AsdfFile(tree).write_to(self.folder("references", OBSERVATORY, "nirspec") / name)
        return name
