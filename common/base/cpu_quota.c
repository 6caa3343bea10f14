#include "common/base/cpu_quota.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PATH = 4096, MAX_LINE = 4096 };

/* The first line of a file below root, without its end; false when there is none. */
static bool read_line(char line[MAX_LINE], const char *root, const char *folder, const char *name)
{
    char path[MAX_PATH];
    FILE *file;
    const int n = snprintf(path, sizeof path, "%s%s/%s", root, folder, name);
    bool is_read;
    if (n < 0 || (size_t)n >= sizeof path || !(file = fopen(path, "re"))) return false;
    is_read = fgets(line, MAX_LINE, file) != NULL;
    fclose(file);
    if (is_read) line[strcspn(line, "\n")] = '\0';
    return is_read;
}

/* The smaller of two quotas, of which 0 is none. */
static uint32_t smaller(uint32_t a, uint32_t b)
{
    return !a || (b && b < a) ? b : a;
}

/* quota / period, rounded up; 0 if there is no quota. */
static uint32_t processors(const char *quota, const char *period)
{
    const long long q = atoll(quota), p = atoll(period);
    if (q <= 0 || p <= 0 || q / p > 1000000) return 0;
    return (uint32_t)((q + p - 1) / p);
}

/* Of one group, version 2: cpu.max has "QUOTA PERIOD" or "max PERIOD". */
static uint32_t quota_of_unified(const char *root, const char *folder)
{
    char line[MAX_LINE];
    if (!read_line(line, root, folder, "cpu.max")) return 0;
    const char *period = strchr(line, ' ');
    return period ? processors(line, period) : 0;
}

/* Version 1: a file each; -1 is none. */
static uint32_t quota_of_hierarchy(const char *root, const char *folder)
{
    char quota[MAX_LINE], period[MAX_LINE];
    if (!read_line(quota, root, folder, "cpu.cfs_quota_us") ||
        !read_line(period, root, folder, "cpu.cfs_period_us"))
        return 0;
    return processors(quota, period);
}

/* The least quota of the group `path` below `mount`, and of the groups that it is in. A container
 * may see the path that its group has outside, which is not there: then its own is at the mount. */
static uint32_t least_quota(const char *root, const char *mount, const char *path,
                            uint32_t (*quota_of)(const char *root, const char *folder))
{
    char folder[MAX_PATH];
    const size_t mount_size = strlen(mount);
    const int n = snprintf(folder, sizeof folder, "%s%s", mount, path);
    uint32_t least = 0;
    if (n < 0 || (size_t)n >= sizeof folder) return 0;
    for (;;) {
        least = smaller(least, quota_of(root, folder));
        char *slash = strrchr(folder + mount_size, '/');
        if (!slash) return least;
        *slash = '\0';
    }
}

/* Whether "cpu" is among names [size] with commas between. */
static bool has_cpu(const char *names, size_t size)
{
    for (const char *end = names + size; names < end;) {
        const size_t length = strcspn(names, ",:");
        if (length == 3 && !memcmp(names, "cpu", 3)) return true;
        names += length + 1;
    }
    return false;
}

/* By a line of /proc/self/cgroup, "NUMBER:CONTROLLERS:PATH"; version 2 names no controllers. */
static uint32_t quota_of_line(const char *root, char *line)
{
    char *controllers = strchr(line, ':'),
         *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path) return 0;
    controllers++;
    line[strcspn(line, "\n")] = '\0';
    if (path == controllers) return least_quota(root, "/sys/fs/cgroup", path + 1, quota_of_unified);
    if (has_cpu(controllers, (size_t)(path - controllers)))
        return least_quota(root, "/sys/fs/cgroup/cpu", path + 1, quota_of_hierarchy);
    return 0;
}

uint32_t limn_cpu_quota(const char *root)
{
    char path[MAX_PATH], line[MAX_LINE];
    uint32_t least = 0;
    FILE *file;
    const int n = snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    if (n < 0 || (size_t)n >= sizeof path || !(file = fopen(path, "re"))) return 0;
    while (fgets(line, sizeof line, file)) least = smaller(least, quota_of_line(root, line));
    fclose(file);
    return least;
}
