/* Checks of arguments, compiled in where BPCORE_CHECKS is defined: the first that fails writes a message to stderr and
   aborts, as assert does. Without it they cost nothing. */

#ifndef BPCORE_CHECKS_H
#define BPCORE_CHECKS_H

#ifdef BPCORE_CHECKS
#include <stdio.h>
#include <stdlib.h>
#define BP_CHECKS 1
static inline void bp_require(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "bpcore: %s\n", what);
        abort();
    }
}
#else
#define BP_CHECKS 0
static inline void bp_require(int condition, const char *what) { (void)condition, (void)what; }
#endif

#endif
