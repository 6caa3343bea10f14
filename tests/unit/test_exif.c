#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/image/codec.h"

/* Little-endian parts of a TIFF structure. */
#define HEADER "II*\0"
#define ORIENTATION(n) "\x12\x01\3\0\1\0\0\0" n "\0\0\0"
#define EXIF_AT(n) "\x69\x87\4\0\1\0\0\0" n "\0\0\0"
#define GPS_AT(n) "\x25\x88\4\0\1\0\0\0" n "\0\0\0"

static const struct {
    const char *what, *bytes;
    size_t size;
    unsigned orientation;
    const char *note; /* "": none */
} blocks[] = {
#define BLOCK(what, bytes, orientation, note)             \
    {                                                     \
        what, bytes, sizeof(bytes) - 1, orientation, note \
    }
    BLOCK("plain", HEADER "\x08\0\0\0\1\0" ORIENTATION("\6") "\0\0\0\0", 6, ""),
    BLOCK("prefix", "Exif\0\0" HEADER "\x08\0\0\0\1\0" ORIENTATION("\3") "\0\0\0\0", 3, ""),
    BLOCK("prefix twice", "Exif\0\0Exif\0\0" HEADER "\x08\0\0\0\1\0" ORIENTATION("\3") "\0\0\0\0",
          3, ""),
    BLOCK("of type LONG", HEADER "\x08\0\0\0\1\0\x12\1\4\0\1\0\0\0\6\0\0\0\0\0\0\0", 6, ""),
    BLOCK("of type LONG, big-endian", "MM\0*\0\0\0\x08\0\1\1\x12\0\4\0\0\0\1\0\0\0\6\0\0\0\0", 6,
          ""),
    BLOCK("as text", HEADER "\x08\0\0\0\1\0\x12\1\2\0\2\0\0\0\x36\0\0\0\0\0\0\0", 1, ""),
    BLOCK("big-endian", "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\5\0\0\0\0\0\0", 5, ""),
    BLOCK("without orientation", HEADER "\x08\0\0\0\0\0\0\0\0\0", 0, ""),
    BLOCK("unknown orientation", HEADER "\x08\0\0\0\1\0" ORIENTATION("\0") "\0\0\0\0", 1, ""),
    BLOCK("no orientation of the eight", HEADER "\x08\0\0\0\1\0" ORIENTATION("\x09") "\0\0\0\0", 1,
          "EXIF was ignored: orientation 9 is not in 1 … 8"),
    BLOCK("the next directory is the first", HEADER "\x08\0\0\0\1\0" ORIENTATION("\6") "\x08\0\0\0",
          0, "EXIF was ignored: its directories form a loop"),
    BLOCK("a directory inside is the first",
          HEADER "\x08\0\0\0\2\0" ORIENTATION("\6") EXIF_AT("\x08") "\0\0\0\0", 0,
          "EXIF was ignored: its directories form a loop"),
    BLOCK("a loop of two",
          HEADER "\x08\0\0\0\2\0" ORIENTATION("\6")
              EXIF_AT("\x26") "\0\0\0\0"
                              "\1\0" GPS_AT("\x08") "\0\0\0\0",
          0, "EXIF was ignored: its directories form a loop"),
    BLOCK("two ways to one directory are no loop",
          HEADER "\x08\0\0\0\3\0" ORIENTATION("\6") EXIF_AT("\x32") GPS_AT("\x32") "\0\0\0\0"
                                                                                   "\0\0\0\0\0\0",
          6, ""),
    BLOCK("more entries than there are", HEADER "\x08\0\0\0\xff\xff" ORIENTATION("\6"), 6, ""),
    BLOCK("the next directory lies outside",
          HEADER "\x08\0\0\0\1\0" ORIENTATION("\6") "\xff\xff\xff\xff", 6, ""),
    BLOCK("the first directory lies outside", HEADER "\xff\0\0\0", 0,
          "EXIF was ignored: its first directory lies outside"),
    BLOCK("the first directory lies in the header", HEADER "\4\0\0\0\1\0", 0,
          "EXIF was ignored: its first directory lies outside"),
    BLOCK("cut off", HEADER "\x08\0\0", 0, "EXIF was ignored: it has no header"),
    BLOCK("nothing", "", 0, "EXIF was ignored: it has no header"),
    BLOCK("something else", "III*\x08\0\0\0\1\0", 0, "EXIF was ignored: it has no header"),
};

static void test_blocks_give_their_orientation_or_a_note(void **state)
{
    int n_wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        limn_error err = { 0 };
        const unsigned orientation =
            limn_exif_orientation((const uint8_t *)blocks[i].bytes, blocks[i].size, &err);
        if (orientation != blocks[i].orientation || strcmp(err.text, blocks[i].note) || err.code) {
            print_error("%s: %u, \"%s\"\n", blocks[i].what, orientation, err.text);
            n_wrong++;
        }
    }
    assert_int_equal(n_wrong, 0);
}

/* A chain of directories, each leading to the next, is followed up to a limit. */
static void test_a_long_chain_ends(void **state)
{
    uint8_t chain[6000] = HEADER "\x08";
    limn_error err = { 0 };
    (void)state;
    for (size_t at = 8; at + 6 < sizeof chain; at += 6) {
        chain[at + 2] = (uint8_t)(at + 6);
        chain[at + 3] = (uint8_t)((at + 6) >> 8);
    }
    assert_int_equal(limn_exif_orientation(chain, sizeof chain, &err), 0);
    assert_string_equal(err.text, "");
    assert_int_equal(limn_exif_orientation(chain, sizeof chain, NULL), 0);
}

/* As found by the regular expression tiff:Orientation(="|>)([0-9]) of Pillow's getexif. */
static void test_xmp_gives_its_first_orientation(void **state)
{
    static const struct {
        const char *xmp;
        unsigned orientation;
    } packets[] = {
        { "", 0 },
        { "tiff:Orientation", 0 },
        { "tiff:Orientation=", 0 },
        { "tiff:Orientation=\"", 0 },
        { "tiff:Orientation>", 0 },
        { "tiff:Orientation=\"6", 6 },
        { "<rdf:Description tiff:Orientation=\"8\"/>", 8 },
        { "<tiff:Orientation>3</tiff:Orientation>", 3 },
        { "<tiff:Orientation> 3</tiff:Orientation>", 0 },
        { "tiff:Orientation='6'", 0 },
        { "tiff:Orientation=\"x\" tiff:Orientation=\"5\" tiff:Orientation=\"2\"", 5 },
        { "tiff:tiff:Orientation>7", 7 },
        { "tiff:Orientation=\"0\"", 1 },
        { "tiff:Orientation=\"9\"", 1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        const unsigned found =
            limn_xmp_orientation((const uint8_t *)packets[i].xmp, strlen(packets[i].xmp));
        if (found != packets[i].orientation) print_error("%s: %u\n", packets[i].xmp, found);
        assert_int_equal(found, packets[i].orientation);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_give_their_orientation_or_a_note),
        cmocka_unit_test(test_a_long_chain_ends),
        cmocka_unit_test(test_xmp_gives_its_first_orientation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
