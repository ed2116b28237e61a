// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures how fast guest_memfd moves, and what it costs to be sure that it moved right.
 *
 * The table has a row for each size from 1 MiB to 1 GiB of movable guest_memfd.  It says
 * how many pages move_pages() moves in a second: alone; under a guest that writes without
 * pause ("hot"); and, in the same run, with everything else that the suite does
 * ("verified"): anonymous memory moves beside the file, every pfn is read before and after
 * each move, and every byte is compared at the end.  Then come the ratio of the last two,
 * and the seconds that the run took, with the creation of the region.  Nothing is judged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <linux/sizes.h>

#include "kvm_util.h"

#include "case/gmem_case.h"
#include "mm/gmem_numa.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_trigger.h"
#include "trigger/gmem_variant.h"
#include "vm/gmem_expect.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"
#include "vm/gmem_region_create.h"

/* Fewer moves than this give no stable rate, so small regions move more often. */
#define MIN_MOVES	8192

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static int rounds_for(size_t npages)
{
	return npages < MIN_MOVES ? MIN_MOVES / npages : 2;
}

static const struct gmem_config optin = GMEM_CONFIG(default, optin_mmap_shared);
static const struct gmem_config plain = GMEM_CONFIG(default, mmap_shared);

static struct gmem_region *create_region(size_t npages)
{
	const struct gmem_config *config = gmem_expect_accepted(&optin) ? &optin : &plain;

	gmem_require_movable(config);
	return gmem_region_create(config, npages);
}

/* Returns how many pages move_pages() moves in a second when nothing else runs. */
static double rate_alone(size_t npages)
{
	struct gmem_region *region = create_region(npages);
	int rounds = rounds_for(npages);
	double start, seconds;

	gmem_numa_bind(gmem_numa_node(0));
	gmem_region_allocate(region, 0, npages);
	gmem_numa_bind(-1);
	for (size_t page = 0; page < npages; page++)
		(void)READ_ONCE(*(char *)gmem_region_host(region, page));
	start = now();
	for (int round = 0; round < rounds; round++)
		gmem_numa_move(gmem_region_host(region, 0), npages, region->page_size,
			       gmem_numa_node(!(round % 2)), false);
	seconds = now() - start;
	gmem_region_free(region);
	return rounds * npages / seconds;
}

struct rates {
	double hot, verified;	/* pages in a second */
	double seconds;		/* from the creation of the region to its end */
};

static struct rates suite_rates(size_t npages)
{
	double begun = now(), firing = 0, start;
	struct gmem_region *region = create_region(npages);
	struct gmem_tally tally = {};
	struct rates rates;
	struct gmem_migration *migration;
	struct gmem_guest *guest;

	migration = gmem_migration_create(&gmem_trigger_move_pages, region);
	guest = gmem_guest_create(region);
	gmem_migration_snapshot(migration);
	gmem_guest_run(guest, GMEM_GUEST_WRITE);
	start = now();
	for (int round = 0; round < rounds_for(npages); round++) {
		firing -= now();
		gmem_migration_trigger(migration, guest, &tally);
		firing += now();
		gmem_migration_count(migration, &tally);
	}
	gmem_guest_pause(guest);
	gmem_guest_verify(guest);
	/* The trigger moves the control as well, which has as many pages. */
	rates.hot = (tally.moved + tally.control) / firing;
	rates.verified = (tally.moved + tally.control) / (now() - start);
	gmem_guest_free(guest);
	gmem_migration_free(migration);
	gmem_region_free(region);
	rates.seconds = now() - begun;
	return rates;
}

/* Returns bytes.  GMEM_BENCH_MIB, which "make bench MIB=" sets, is an upper bound. */
static size_t largest_region(void)
{
	const char *mib = getenv("GMEM_BENCH_MIB");
	size_t largest = mib ? strtoul(mib, NULL, 10) * SZ_1M : SZ_1G;

	/* A region and its control have to fit into either node, with half a region to spare. */
	for (int node = 0; node < 2; node++)
		while (largest > SZ_1M && 5 * largest / 2 > gmem_numa_free(gmem_numa_node(node)))
			largest /= 4;
	return largest;
}

int main(int argc, char *argv[])
{
	size_t largest;

	gmem_skip_if(gmem_numa_missing());
	largest = largest_region();
	printf("%6s %10s %10s %10s %6s %9s\n", "MiB", "alone/s", "hot/s", "verified/s",
	       "ratio", "seconds");
	for (size_t size = SZ_1M; size <= largest; size *= 4) {
		size_t npages = size / getpagesize();
		double alone = rate_alone(npages);
		struct rates rates = suite_rates(npages);

		printf("%6zu %10.0f %10.0f %10.0f %5.0f%% %9.2f\n", size / SZ_1M, alone,
		       rates.hot, rates.verified, 100 * rates.verified / rates.hot,
		       rates.seconds);
		fflush(stdout);
	}
	return 0;
}
