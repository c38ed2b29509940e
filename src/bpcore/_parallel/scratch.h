/* Thread-local buffers of one call, larger than a small stack holds: threads have 128 kB with musl, or what OMP_STACKSIZE
   or threading.stack_size says. Each thread has its own, in each module; the system allocates them when the thread first
   uses them (glibc) or starts (musl), and frees them with the thread. */

#ifndef BPCORE_SCRATCH_H
#define BPCORE_SCRATCH_H

#include <stdint.h>

#define BP_PANEL_BYTES 98304     /* of a packed panel of b: 512 rows of the widest tile, in the second-level cache */
#define BP_DOT_BYTES 32768       /* columns of b for dot products: 8 of 1024 float32 */
#define BP_PACKED_A_BYTES 110592 /* of a packed, transposed a: 48 rows, 256 terms, and a number more for each 8 */

static __thread __attribute__((unused)) unsigned char bp_scratch[BP_PANEL_BYTES + BP_DOT_BYTES + BP_PACKED_A_BYTES + 64];

/* Aligned to a cache line. Each is used by one product at a time, which does not call another. */
static inline unsigned char *bp_panel_memory(void) { return bp_scratch + (-(uintptr_t)bp_scratch & 63); }
static inline unsigned char *bp_dot_memory(void) { return bp_panel_memory() + BP_PANEL_BYTES; }
static inline unsigned char *bp_packed_a_memory(void) { return bp_dot_memory() + BP_DOT_BYTES; }

#endif
