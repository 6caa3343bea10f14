/* Quotas of control groups, in folders that look like /proc and /sys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/cpu_quota.h"

static char root[] = "/tmp/limn-quota-XXXXXX";

/* Writes a file below the root, and makes its folder. */
static void put_at(const char *folder, const char *name, const char *text)
{
    char command[1024];
    snprintf(command, sizeof command, "mkdir -p %s/%s && printf '%%s\\n' '%s' > %s/%s/%s", root,
             folder, text, root, folder, name);
    assert_int_equal(system(command), 0);
}

static void clear(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s/*", root);
    assert_int_equal(system(command), 0);
}

/* An empty root with /proc/self/cgroup. */
static void start(const char *groups)
{
    clear();
    put_at("proc/self", "cgroup", groups);
}

/* Writes a file of a group; `folder` is below /sys/fs/cgroup. */
static void put(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "sys/fs/cgroup/%s", folder);
    put_at(path, name, text);
}

static void test_version_2(void **state)
{
    (void)state;
    start("0::/a/b");
    assert_int_equal(limn_cpu_quota(root), 0);
    put("a/b", "cpu.max", "max 100000");
    assert_int_equal(limn_cpu_quota(root), 0);
    put("a/b", "cpu.max", "400000 100000");
    assert_int_equal(limn_cpu_quota(root), 4);
    put("a", "cpu.max", "150000 100000"); /* of the process's own group, rounded up */
    assert_int_equal(limn_cpu_quota(root), 2);
    put("a", "cpu.max", "1000 100000");
    assert_int_equal(limn_cpu_quota(root), 1);
}

static void test_the_root_of_a_container(void **state)
{
    (void)state;
    start("0::/");
    put("", "cpu.max", "200000 100000");
    assert_int_equal(limn_cpu_quota(root), 2);
    start("0::/outside/of/it");
    put("", "cpu.max", "300000 100000");
    assert_int_equal(limn_cpu_quota(root), 3);
}

static void test_version_1(void **state)
{
    (void)state;
    start("5:memory:/x\n4:cpu,cpuacct:/docker/y\n3:cpuset:/");
    put("cpu/docker/y", "cpu.cfs_quota_us", "-1");
    put("cpu/docker/y", "cpu.cfs_period_us", "100000");
    assert_int_equal(limn_cpu_quota(root), 0);
    put("cpu/docker/y", "cpu.cfs_quota_us", "250000");
    assert_int_equal(limn_cpu_quota(root), 3);
    start("3:cpuset:/z");
    put("cpu/z", "cpu.cfs_quota_us", "100000");
    put("cpu/z", "cpu.cfs_period_us", "100000");
    assert_int_equal(limn_cpu_quota(root), 0);
}

static void test_nonsense_is_no_quota(void **state)
{
    static const char *const texts[] = { "",          "max", "x y",      "100000",
                                         "-5 100000", "5 0", "0 100000", "99999999999999999 1" };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        start("0::/\nnonsense\n:\n::");
        put("", "cpu.max", texts[i]);
        assert_int_equal(limn_cpu_quota(root), 0);
    }
    assert_int_equal(limn_cpu_quota("/nowhere"), 0);
}

static int make_root(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    clear();
    return rmdir(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_2),
        cmocka_unit_test(test_the_root_of_a_container),
        cmocka_unit_test(test_version_1),
        cmocka_unit_test(test_nonsense_is_no_quota),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
