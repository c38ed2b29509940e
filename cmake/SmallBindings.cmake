# cmake -DGENERATED=in.c -DOUTPUT=out.c -DFROM=text [-DTO=text -DAGAIN=text] -P SmallBindings.cmake: what Cython makes of types,
# imports and its own helpers, which no loop runs through, is compiled for size by GCC. It stands behind all functions of the
# module, from a line on that says so. With FROM, all functions are from the first on whose comment has that text, with TO up to
# the first of another text, and with AGAIN from a third on: those of .pxd files, which have the loops, stand before them. Where
# there is no such line, nothing changes.

set(is_gcc "#if defined(__GNUC__) && !defined(__clang__)\n")
set(small "${is_gcc}#pragma GCC push_options\n#pragma GCC optimize(\"Os\")\n#endif\n")
set(fast "${is_gcc}#pragma GCC pop_options\n#endif\n")
file(READ "${GENERATED}" code)

# Puts a pragma before the function behind `after` whose comment has the text `mark`; `found` says behind which place it stands.
function(insert_before mark pragma after)
  set(found -1 PARENT_SCOPE)
  string(SUBSTRING "${code}" ${after} -1 behind)
  string(FIND "${behind}" "${mark}" first)
  if(first GREATER 0)
    math(EXPR first "${after} + ${first}")
    string(SUBSTRING "${code}" 0 ${first} before)
    if(NOT mark MATCHES "Code section")
      string(FIND "${before}" "/* \"" first REVERSE)
    endif()
    string(SUBSTRING "${code}" 0 ${first} before)
    string(SUBSTRING "${code}" ${first} -1 behind)
    set(code "${before}${pragma}${behind}" PARENT_SCOPE)
    string(LENGTH "${before}${pragma}${mark}" next)
    math(EXPR next "${next} + 200")
    set(found ${next} PARENT_SCOPE)
  endif()
endfunction()

string(FIND "${code}" "/* #### Code section: module_code ### */" functions)
set(found ${functions})
if(FROM AND functions GREATER 0)
  insert_before("${FROM}" "${small}" ${functions})
  if(TO AND found GREATER 0)
    insert_before("${TO}" "${fast}" ${found})
    if(AGAIN AND found GREATER 0)
      insert_before("${AGAIN}" "${small}" ${found})
    endif()
  endif()
endif()
if(NOT FROM OR (TO AND NOT AGAIN))
  insert_before("/* #### Code section: module_exttypes ### */" "${small}" ${functions})
endif()
file(WRITE "${OUTPUT}" "${code}")
