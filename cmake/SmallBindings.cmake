# cmake -DGENERATED=in.c -DOUTPUT=out.c -P SmallBindings.cmake: what Cython makes of types, imports and its own helpers, which
# no loop runs through, is compiled for size by GCC. It stands behind all functions of the module, from a line on that says so;
# where there is none, nothing changes.

set(marker "/* #### Code section: module_exttypes ### */")
set(pragma "#if defined(__GNUC__) && !defined(__clang__)\n#pragma GCC optimize(\"Os\")\n#endif\n")
file(READ "${GENERATED}" code)
string(REPLACE "${marker}" "${pragma}${marker}" code "${code}")
file(WRITE "${OUTPUT}" "${code}")
