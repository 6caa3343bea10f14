/* Packets in image files: the files of tests/data/images, damaged copies of them, and a TIFF of
 * either byte order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/io/fileio.h"
#include "tools/annotate/xmp/container.h"
#include "tools/annotate/xmp/packet_worker.h"

static limn_status append(void *ctx, const void *bytes, size_t size)
{
    limn_buffer_append(ctx, bytes, size);
    return LIMN_OK;
}

/* Makes the file with another packet; the caller finishes it. Fails like limn_container_replace. */
static limn_status put_packet(limn_buffer *out, limn_splices *splices, const uint8_t *bytes,
                              size_t size, const char *packet, limn_error *err)
{
    limn_container c;
    limn_buffer text = { 0 };
    *out = (limn_buffer){ 0 };
    *splices = (limn_splices){ 0 };
    limn_status s = limn_container_open(&c, bytes, size, err);
    limn_buffer_append_text(&text, packet);
    if (s == LIMN_OK) s = limn_container_replace(splices, &c, &text, err);
    if (s == LIMN_OK) s = limn_splices_apply(splices, bytes, size, append, out);
    limn_buffer_finish(&text);
    limn_container_close(&c);
    return s;
}

static void assert_packet(const limn_buffer *file, const char *expected)
{
    limn_container c;
    limn_error err = { 0 };
    assert_int_equal(limn_container_open(&c, (const uint8_t *)file->bytes, file->size, &err),
                     LIMN_OK);
    assert_int_equal(c.packet.size, strlen(expected));
    assert_memory_equal(c.packet.bytes, expected, c.packet.size);
    limn_container_close(&c);
}

/* Splices replace few bytes, except for the old packet: the new file keeps all others. */
static void assert_rest_is_kept(const limn_splices *splices, size_t largest)
{
    for (size_t i = 0; i < splices->n_items; i++)
        assert_true(splices->items[i].old_size <= 8 || splices->items[i].old_size == largest);
}

/* An empty packet removes what held the one before, and the file is as it was before that, save
 * that a WebP may keep its VP8X, and a TIFF its length. */
static void check_removed(const limn_buffer *file, const uint8_t *before, size_t size)
{
    limn_buffer out;
    limn_splices splices;
    limn_container c;
    limn_error err = { 0 };
    assert_int_equal(put_packet(&out, &splices, (const uint8_t *)file->bytes, file->size, "", &err),
                     LIMN_OK);
    assert_int_equal(limn_container_open(&c, (const uint8_t *)out.bytes, out.size, &err), LIMN_OK);
    assert_int_equal(c.packet.size, 0);
    assert_int_equal(c.whole_size, 0);
    assert_int_equal(c.entry, 0);
    if (c.kind == &limn_container_jpeg || c.kind == &limn_container_png) {
        assert_int_equal(out.size, size);
        assert_memory_equal(out.bytes, before, size);
    }
    limn_container_close(&c);
    limn_buffer_finish(&out);
    limn_splices_finish(&splices);
}

/* Writes a packet, a longer one, a shorter one, and the same again. */
static void check_file(const uint8_t *bytes, size_t size)
{
    static const char *const packets[] = { "a packet", "a longer packet", "one", "one", "four" };
    limn_buffer now = { 0 };
    limn_error err = { 0 };
    append(&now, bytes, size);
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        limn_buffer next;
        limn_splices splices;
        limn_container before;
        assert_int_equal(limn_container_open(&before, (const uint8_t *)now.bytes, now.size, &err),
                         LIMN_OK);
        const limn_status s =
            put_packet(&next, &splices, (const uint8_t *)now.bytes, now.size, packets[i], &err);
        if (s != LIMN_OK) print_error("%s\n", err.text);
        assert_int_equal(s, LIMN_OK);
        assert_rest_is_kept(&splices, before.whole_size);
        assert_packet(&next, packets[i]);
        if (i == 0 && !before.whole_size) check_removed(&next, bytes, size);
        if (i == 3) {
            assert_int_equal(next.size, now.size);
            assert_memory_equal(next.bytes, now.bytes, now.size);
        }
        limn_container_close(&before);
        limn_splices_finish(&splices);
        limn_buffer_finish(&now);
        now = next;
    }
    limn_buffer_finish(&now);
}

/* Any bytes get an answer; what can be written can be read back. */
static void check_hostile(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = limn_alloc(size + 1, 1); /* so that a sanitizer sees a read past the end */
    limn_buffer out;
    limn_splices splices;
    limn_error err = { 0 };
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    copy = limn_realloc(copy, size ? size : 1, 1);
    if (put_packet(&out, &splices, copy, size, "a packet", &err) == LIMN_OK)
        assert_packet(&out, "a packet");
    else
        assert_true(err.text[0] != '\0');
    limn_buffer_finish(&out);
    limn_splices_finish(&splices);
    err = (limn_error){ 0 };
    if (put_packet(&out, &splices, copy, size, "", &err) != LIMN_OK)
        assert_true(err.text[0] != '\0');
    limn_buffer_finish(&out);
    limn_splices_finish(&splices);
    limn_free(copy);
}

static void check_damaged(const uint8_t *bytes, size_t size, const char *name)
{
    limn_rng rng = limn_rng_stream(1, name, strlen(name));
    uint8_t *copy = limn_alloc(size, 1);
    assert_non_null(copy);
    for (size_t n = 0; n < size; n += 1 + n / 20) check_hostile(bytes, n);
    for (int i = 0; i < 60; i++) {
        memcpy(copy, bytes, size);
        for (int k = 0; k < 1 + i % 4; k++)
            copy[limn_rng_below(&rng, (uint32_t)(i % 2       ? size
                                                 : size < 64 ? size
                                                             : 64))] =
                (uint8_t)limn_rng_below(&rng, 256);
        check_hostile(copy, size);
    }
    limn_free(copy);
}

static void test_files_of_the_tree(void **state)
{
    char path[512];
    size_t n = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/tests/data/images", getenv("LIMN_SOURCE_ROOT"));
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *e; (e = readdir(folder));) {
        limn_file_bytes file = { 0 };
        limn_container c;
        const char *ending = strrchr(e->d_name, '.');
        if (!ending ||
            (strcmp(ending, ".jpg") && strcmp(ending, ".png") && strcmp(ending, ".webp")))
            continue;
        snprintf(path, sizeof path, "%s/tests/data/images/%s", getenv("LIMN_SOURCE_ROOT"),
                 e->d_name);
        assert_int_equal(limn_file_bytes_read(&file, path, SIZE_MAX / 2, NULL), LIMN_OK);
        if (limn_container_open(&c, file.bytes, file.size, NULL) == LIMN_OK) {
            check_file(file.bytes, file.size);
            n++;
        }
        limn_container_close(&c);
        check_damaged(file.bytes, file.size, e->d_name);
        limn_file_bytes_free(&file);
    }
    closedir(folder);
    assert_true(n > 40);
}

/* ---- TIFF --------------------------------------------------------------------------------- */

static void put_number(limn_buffer *out, bool is_big, uint32_t number, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++) {
        const unsigned char byte = (unsigned char)(number >> 8 * (is_big ? n_bytes - 1 - i : i));
        limn_buffer_append(out, &byte, 1);
    }
}

static void put_entry(limn_buffer *out, bool is_big, uint32_t tag, uint32_t type, uint32_t count,
                      uint32_t value)
{
    put_number(out, is_big, tag, 2);
    put_number(out, is_big, type, 2);
    put_number(out, is_big, count, 4);
    put_number(out, is_big, value, 4);
}

/* A directory with two tags, one on either side of 700, and one pixel. */
static void make_tiff(limn_buffer *out, bool is_big)
{
    limn_buffer_append_text(out, is_big ? "MM" : "II");
    put_number(out, is_big, 42, 2);
    put_number(out, is_big, 8, 4);
    put_number(out, is_big, 2, 2);
    put_entry(out, is_big, 256, 4, 1, 1);
    put_entry(out, is_big, 34665, 4, 1, 38);
    put_number(out, is_big, 0, 4);
    limn_buffer_append_text(out, "pixel");
}

static void test_tiff(void **state)
{
    (void)state;
    for (int is_big = 0; is_big < 2; is_big++) {
        limn_buffer tiff = { 0 };
        make_tiff(&tiff, is_big);
        check_file((const uint8_t *)tiff.bytes, tiff.size);
        check_damaged((const uint8_t *)tiff.bytes, tiff.size, "tiff");
        limn_buffer_finish(&tiff);
    }
}

/* The other entries and the next directory stay, and no byte of the packet does. */
static void test_removed_from_tiff(void **state)
{
    (void)state;
    for (int is_big = 0; is_big < 2; is_big++) {
        limn_buffer tiff = { 0 }, with, without;
        limn_splices splices, removed;
        limn_error err = { 0 };
        make_tiff(&tiff, is_big);
        tiff.bytes[is_big ? 37 : 34] = 77; /* the next directory */
        assert_int_equal(
            put_packet(&with, &splices, (const uint8_t *)tiff.bytes, tiff.size, "abcdef", &err),
            LIMN_OK);
        assert_int_equal(
            put_packet(&without, &removed, (const uint8_t *)with.bytes, with.size, "", &err),
            LIMN_OK);
        assert_int_equal(without.size, with.size);
        const size_t at = (uint8_t)without.bytes[is_big ? 7 : 4];
        assert_memory_equal(without.bytes + at, tiff.bytes + 8, 2 + 2 * 12 + 4);
        for (size_t i = 0; i + 6 <= without.size; i++)
            assert_memory_not_equal(without.bytes + i, "abcdef", 6);
        limn_buffer_finish(&tiff);
        limn_buffer_finish(&with);
        limn_buffer_finish(&without);
        limn_splices_finish(&splices);
        limn_splices_finish(&removed);
    }
}

/* Tags stay in order, and the next directory is still found. */
static void test_directory_of_tiff(void **state)
{
    limn_buffer tiff = { 0 }, out;
    limn_splices splices;
    limn_error err = { 0 };
    (void)state;
    make_tiff(&tiff, false);
    tiff.bytes[34] = 77; /* the next directory */
    assert_int_equal(
        put_packet(&out, &splices, (const uint8_t *)tiff.bytes, tiff.size, "abcdef", &err),
        LIMN_OK);
    const uint8_t *d = (const uint8_t *)out.bytes + (uint8_t)out.bytes[4];
    assert_int_equal(d[0], 3);
    assert_int_equal(d[2] | d[3] << 8, 256);
    assert_int_equal(d[14] | d[15] << 8, 700);
    assert_int_equal(d[26] | d[27] << 8, 34665);
    assert_int_equal(d[38], 77);
    limn_buffer_finish(&tiff);
    limn_buffer_finish(&out);
    limn_splices_finish(&splices);
}

/* ---- refused files -------------------------------------------------------------------------- */

static void assert_refused(const void *bytes, size_t size, const char *packet, const char *reason)
{
    limn_buffer out;
    limn_splices splices;
    limn_error err = { 0 };
    assert_int_not_equal(put_packet(&out, &splices, bytes, size, packet, &err), LIMN_OK);
    if (!strstr(err.text, reason)) print_error("%s\n", err.text);
    assert_non_null(strstr(err.text, reason));
    limn_buffer_finish(&out);
    limn_splices_finish(&splices);
}

static void test_refused(void **state)
{
    static const char jpeg[] = "\xFF\xD8\xFF\xE2\x00\x08MPF\0??\xFF\xE1\x00\x23"
                               "http://ns.adobe.com/xap/1.0/\0ab  \xFF\xDA\x00\x02";
    char *large = limn_calloc(70000, 1);
    (void)state;
    assert_non_null(large);
    memset(large, 'a', 69999);
    assert_refused("GIF89a..............", 20, "a", "limn can't write XMP into GIF");
    assert_refused("\0\0\0\x1c"
                   "ftypheic\0\0\0\0mif1heic....",
                   28, "a", "--sidecar=xmp");
    assert_refused("\1\2\3\4\5\6\7\x80", 8, "a", "unknown format; use --sidecar=xmp");
    assert_refused("II*\0\x08\0\0\0\1\0\xBC\2\1\0\x0A\0\0\0\0\0\0\0\0\0\0\0", 26, "a",
                   "overlaps its directory");
    assert_refused("II*\0\x08\0\0\0\1\0\xBC\2\1\0\x0A\0\0\0\x10\0\0\0\0\0\0\0", 26, "a",
                   "overlaps its directory");
    assert_refused("II+\0\x08\0\0\0................", 24, "a", "BigTIFF");
    assert_refused("\x89PNG\r\n\x1A\n\0\0\0\0IEND\xAE\x42\x60\x82", 20, "a",
                   "PNG: its first chunk isn't IHDR");
    assert_refused("\xFF\xD8\xFF\xDA\x00\x02", 6, large, "a JPEG has room for only 65504");
    large[65505] = '\0';
    assert_refused("\xFF\xD8\xFF\xDA\x00\x02", 6, large, "would have 65505 bytes");
    assert_refused(jpeg, sizeof jpeg - 1, "abc", "index of further images");
    limn_free(large);
}

/* A TIFF by NIKON with the offset of a further directory at its end: with a packet there it would
 * be taken for a RAW file. */
static void test_another_format_afterwards(void **state)
{
    static const uint8_t tiff[] = {
        0x4D, 0x4D, 0x00, 0x2A, 0x00, 0x00, 0x00, 0x08, 0x00, 0x02, 0x01, 0x0F, 0x00,
        0x00, 0xDE, 0x00, 0x00, 0x12, 0x00, 0x00, 0x00, 0x26, 0x01, 0x4A, 0x00, 0x09,
        0x00, 0x00, 0x00, 0x0A, 0x00, 0x00, 0x00, 0x3F, 0x00, 0xBB, 0x04, 0x00, 0x4E,
        0x49, 0x4B, 0x4F, 0x4E, 0x01, 0xFF, 0x00, 0x00, 0x10, 0x00, 0xE0, 0x00, 0xFE,
        0x01, 0x06, 0x8D, 0x8D, 0x8D, 0x91, 0x8D, 0x8D, 0xFF, 0xFF, 0x00,
    };
    (void)state;
    assert_refused(tiff, sizeof tiff, "a packet", "XMP written into it wouldn't be found again");
}

static void test_largest_packet_of_a_jpeg(void **state)
{
    limn_buffer out;
    limn_splices splices;
    limn_error err = { 0 };
    char *large = limn_calloc(65505, 1);
    (void)state;
    assert_non_null(large);
    memset(large, 'a', 65504);
    assert_int_equal(
        put_packet(&out, &splices, (const uint8_t *)"\xFF\xD8\xFF\xDA\x00\x02", 6, large, &err),
        LIMN_OK);
    assert_packet(&out, large);
    limn_buffer_finish(&out);
    limn_splices_finish(&splices);
    limn_free(large);
}

/* The reason is the size, not that the packet wouldn't be found. */
static void test_packet_that_grows_too_large(void **state)
{
    static const uint8_t png[] = "\x89PNG\r\n\x1A\n"
                                 "\0\0\0\0IHDR....\0\0\0\0IEND\xAE\x42\x60\x82";
    char *large = limn_calloc(LIMN_XMP_MAX_SIZE + 2, 1);
    (void)state;
    assert_non_null(large);
    memset(large, 'a', LIMN_XMP_MAX_SIZE + 1);
    for (int too_large = 0; too_large < 2; too_large++) {
        limn_buffer out;
        limn_splices splices;
        limn_error err = { 0 };
        const limn_status expected = too_large ? LIMN_E_LIMIT : LIMN_OK;
        large[LIMN_XMP_MAX_SIZE] = too_large ? 'a' : '\0';
        assert_int_equal(put_packet(&out, &splices, png, sizeof png - 1, large, &err), expected);
        if (too_large)
            assert_string_equal(
                err.text, "with limn's changes, its XMP has 4194305 bytes, more than 4194304");
        limn_buffer_finish(&out);
        limn_splices_finish(&splices);
    }
    limn_free(large);
}

/* A new packet goes in front of an index of further images, whose offsets count from the index. */
static void test_new_packet_in_front_of_an_index(void **state)
{
    static const char jpeg[] = "\xFF\xD8\xFF\xE0\x00\x04JF\xFF\xE2\x00\x08MPF\0??\xFF\xDA\x00\x02";
    limn_buffer out;
    limn_splices splices;
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(
        put_packet(&out, &splices, (const uint8_t *)jpeg, sizeof jpeg - 1, "abc", &err), LIMN_OK);
    assert_int_equal(splices.n_items, 1);
    assert_int_equal(splices.items[0].at, 8);
    limn_buffer_finish(&out);
    limn_splices_finish(&splices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_of_the_tree),
        cmocka_unit_test(test_tiff),
        cmocka_unit_test(test_removed_from_tiff),
        cmocka_unit_test(test_directory_of_tiff),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_another_format_afterwards),
        cmocka_unit_test(test_largest_packet_of_a_jpeg),
        cmocka_unit_test(test_packet_that_grows_too_large),
        cmocka_unit_test(test_new_packet_in_front_of_an_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
