"""The version of the declarations in the public .pxd files. Written by tools/api_version.py."""

API_VERSION = 0x3BFACC7
