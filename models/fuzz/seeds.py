#!/usr/bin/env python3
"""Writes small seeds for the fuzzer into a folder: a header that is right up to its tensors, and near misses.

    seeds.py corpus/model_file MODEL.safetensors
"""

import json
import pathlib
import struct
import sys

folder, model = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_bytes()
folder.mkdir(parents=True, exist_ok=True)
(length,) = struct.unpack("<Q", model[:8])
header = json.loads(model[8 : 8 + length])


def write(name, header, data=b""):
    text = json.dumps(header).encode()
    (folder / name).write_bytes(struct.pack("<Q", len(text)) + text + data)


(folder / "whole").write_bytes(model)
(folder / "truncated").write_bytes(model[: len(model) // 2])
write("metadata-only", {"__metadata__": header["__metadata__"]})
write("empty", {})
write("no-metadata", {"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"\0" * 4)
for format_version in (0, 1, 2, -1, 1e300, "1", None):
    metadata = json.loads(header["__metadata__"]["impasto"]) | {"format": format_version}
    write(f"format-{format_version}", {"__metadata__": {"impasto": json.dumps(metadata)}})
