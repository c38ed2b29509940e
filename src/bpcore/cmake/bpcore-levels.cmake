# The instruction-set levels of the processor that is built for, and the flags of each: BPCORE_LEVELS, BPCORE_FLAGS_<level>
# and BPCORE_C_FLAGS, which all of them take. The modules of bpcore and those of its users are built with the same.

# Rounding is part of the contract: no contraction, no reassociation. The two -fno- flags change no result; they
# let the compiler turn selections into vector code, since nobody reads errno or the exception flags.
set(BPCORE_C_FLAGS -ffp-contract=off -fno-math-errno -fno-trapping-math)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(BPCORE_LEVELS v2 v3 v4)
  set(BPCORE_FLAGS_v2 -march=x86-64-v2)
  set(BPCORE_FLAGS_v3 -march=x86-64-v3)
  set(BPCORE_FLAGS_v4 -march=x86-64-v4 -mprefer-vector-width=512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(BPCORE_LEVELS neon)
  set(BPCORE_FLAGS_neon "")
else()
  set(BPCORE_LEVELS generic)
  set(BPCORE_FLAGS_generic "")
endif()

# -DBPCORE_ONLY=v3 builds one level alone, which is enough to try something out.
if(BPCORE_ONLY)
  set(BPCORE_LEVELS ${BPCORE_ONLY})
endif()
