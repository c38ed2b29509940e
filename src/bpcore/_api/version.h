/* Written by tools/api_version.py. */
#ifndef BPCORE_API_VERSION
#define BPCORE_API_VERSION 0x3BFACC7
#define BPCORE_DECLARATIONS 0x4BABD2B
#endif
