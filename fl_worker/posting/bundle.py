"""An app made ready to post: its bundle, what its ServerApp sends, and its first model.

The bundle's bytes, the layout and the model are what workers fetch; their hashes and root are what
the job's spec names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.sdk.protocol import MODEL_WIDTH
from fl_worker.flower.fab import ConfigValue, Fab, app_config, build_fab
from fl_worker.flower.recorder import RecorderConfig, Recording, record
from fl_worker.update.layout import Layout
from fl_worker.update.quantize import to_model
from fl_worker.update.tree import tree_root

ROUNDS_KEY = "num-server-rounds"


@dataclass(frozen=True, slots=True)
class Bundle:
    """An app as it is posted; `base` is the model's vector (int64, 20 fraction bits)."""

    fab: Fab
    run_config: Mapping[str, ConfigValue]
    recording: Recording
    layout: Layout
    base: bytes
    base_root: bytes

    @property
    def blobs(self) -> tuple[bytes, bytes, bytes]:
        """What workers fetch: the app, the layout and the first model."""
        return self.fab.data, self.layout.to_bytes(), self.base


async def make_bundle(app_dir: Path, config: RecorderConfig) -> Bundle:
    """Bundle the app in a folder and run its ServerApp until it has shown what it sends.

    FlowerError, LayoutRefused or ModelRefused say what of the app can't be posted.
    """
    fab = build_fab(app_dir)
    recording = await record(app_dir, config)
    layout = Layout.from_arrays(recording.arrays)
    base = to_model(recording.arrays, layout)
    return Bundle(
        fab=fab,
        run_config=app_config(app_dir, config.overrides).run_config,
        recording=recording,
        layout=layout,
        base=base,
        base_root=tree_root(base, MODEL_WIDTH, layout.hash).root,
    )


def canonical_json(value: Mapping[str, Any]) -> str:
    """Return a JSON object with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
