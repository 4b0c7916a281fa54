"""Writes the files of this folder, with NumPy and PyArrow: what other programs
write, for the readers of this one. `python3 make.py` in this folder."""

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

# One table in every kind of file: 7 rows of 3 features.
rows = np.array([[i * 0.37 - 1, (i * i) % 5 - 0.1, 1e-3 * 2.0**i] for i in range(7)])
names = ["a", "b", "c"]
with open("table.csv", "w") as file:
    file.write(",".join(names) + "\n")
    for row in rows:
        file.write(",".join(repr(float(value)) for value in row) + "\n")

np.save("c_order.npy", rows)
np.save("fortran_order.npy", np.asfortranarray(rows))
np.save("big_endian.npy", rows.astype(">f8"))
np.save("fortran_big_endian.npy", np.asfortranarray(rows.astype(">f8")))
np.save("one_column.npy", rows[:, 0].copy())
for dtype in ["f2", "f4", ">f2", ">f4", "i1", "i2", ">i2", "i4", ">i4", "i8", ">i8", "u1", "u2", ">u4", "u8", "?"]:
    name = dtype.replace(">", "big_").replace("?", "bool")
    np.save(f"dtype_{name}.npy", np.array([[0, 1, 100], [-1, 5, -100]]).astype(dtype))
np.save("refused_complex.npy", rows.astype("c16"))
np.save("refused_text.npy", np.array([["a", "b"]]))
np.save("refused_object.npy", np.array([[None, 1]], dtype=object), allow_pickle=True)
np.save("refused_record.npy", np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]))
np.save("refused_cube.npy", np.zeros((2, 2, 2)))
np.save("refused_nothing.npy", np.zeros((0, 0)))
np.save("missing.npy", np.array([[1.0, np.nan], [2.0, 3.0], [np.nan, 1.0]]))
np.save("infinite.npy", np.array([[1.0, 2.0], [np.inf, 3.0]]))

columns = [pa.array(rows[:, i]) for i in range(3)]
table = pa.table(dict(zip(names, columns)))
for codec in ["none", "snappy", "gzip", "zstd", "lz4"]:
    pq.write_table(table, f"codec_{codec}.parquet", compression=codec, row_group_size=3)
pq.write_table(table, "codec_brotli.parquet", compression="brotli")
pq.write_table(table, "version_1.parquet", version="1.0", data_page_version="1.0")
pq.write_table(table, "pages_2.parquet", data_page_version="2.0", data_page_size=16, use_dictionary=False)
pq.write_table(
    table, "split.parquet", use_dictionary=False, use_byte_stream_split=True, row_group_size=2
)
pq.write_table(table.slice(0, 0), "no_rows.parquet")

# The wine data, with the class as a number and as text.
wine = csv.read_csv("../../../crates/neuralize/src/data/wine.csv")
cultivar = pa.array(["barolo, grignolino, barbera".split(", ")[c.as_py()] for c in wine["target"]])
wine = wine.append_column("cultivar", cultivar)
pq.write_table(wine, "wine.parquet", compression="zstd", row_group_size=60, use_dictionary=["cultivar"])

numbers = [0, 1, 100, 5]
types = {
    "int8": pa.int8(), "int16": pa.int16(), "int32": pa.int32(), "int64": pa.int64(),
    "uint8": pa.uint8(), "uint16": pa.uint16(), "uint32": pa.uint32(), "uint64": pa.uint64(),
    "half": pa.float16(), "single": pa.float32(), "double": pa.float64(),
}
cells = {}
for name, kind in types.items():
    values = list(numbers)
    if name.startswith("int"):
        values[2] = -100
    if name == "uint32":
        values[2] = 4_000_000_000
    if name == "uint64":
        values[2] = 18_000_000_000_000_000_000
    if name == "half":
        values = [np.float16(v) for v in values]
    cells[name] = pa.array(values, kind)
cells["bool"] = pa.array([False, True, True, False])
for name, digits in [("decimal9", 9), ("decimal18", 18), ("decimal38", 38)]:
    cells[name] = pa.array([decimal.Decimal(t) for t in ["0.00", "1.25", "-1000.10", "5.01"]], pa.decimal128(digits, 2))
pq.write_table(pa.table(cells), "types.parquet", store_decimal_as_integer=True)
pq.write_table(pa.table({name: cells[name] for name in ["decimal9", "decimal38"]}), "decimals.parquet")

kinds = {
    "a": pa.array([1.0, 2.0, 3.0]),
    "text": pa.array(["x", "y, z", None]),
    "number": pa.array([9007199254740993, 2, None], pa.int64()),
    "day": pa.array([datetime.date(2020, 1, 1)] * 3),
    "time": pa.array([datetime.datetime(2020, 1, 1)] * 3),
    "list": pa.array([[1.0], [2.0, 3.0], []]),
    "struct": pa.array([{"u": 1.0}] * 3),
    "wide": pa.array([decimal.Decimal(1)] * 3, pa.decimal256(76, 0)),
    "b": pa.array([4, 5, 6]),
}
pq.write_table(pa.table(kinds), "kinds.parquet")
pq.write_table(
    pa.table({"a": pa.array([1.0, None, float("nan"), 4.0]), "b": pa.array([1, 2, None, 4])}),
    "missing.parquet", row_group_size=2,
)
pq.write_table(pa.table({"a": [1.0, 2.0], "b": [1.0, float("-inf")]}), "infinite.parquet")
