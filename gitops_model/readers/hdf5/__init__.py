"""HDF5 files, as far as they hold arrays of numbers and texts (HDF5 File Format Specification 3.0)."""
