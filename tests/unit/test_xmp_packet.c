/* What happens to packets, and to the human and machine texts in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tools/annotate/xmp/packet_worker.h"

#define BEGIN                                                                   \
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "                             \
    "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description " \
    "rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:o='http://other/'>"
#define END "</rdf:Description></rdf:RDF></x:xmpmeta>"
#define OTHER "<o:kept>as it was</o:kept>"
#define DESCRIPTION(text)                                         \
    "<dc:description><rdf:Alt><rdf:li xml:lang='x-default'>" text \
    "</rdf:li></rdf:Alt></dc:description>"
#define SUBJECT "<dc:subject><rdf:Bag><rdf:li>dog</rdf:li></rdf:Bag></dc:subject>"

static limn_xmp_worker *worker;

static int start(void **state)
{
    limn_error err = { 0 };
    (void)state;
    return limn_xmp_worker_start(&worker, LIMN_SANDBOX_AUTO, NULL, &err) == LIMN_OK ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    limn_xmp_worker_stop(&worker);
    assert_null(worker);
    return 0;
}

/* The packet after a task; the caller finishes it. */
static limn_xmp_answer run(const char *packet, limn_xmp_request request)
{
    limn_xmp_answer answer;
    limn_error err = { 0 };
    const limn_status s =
        limn_xmp_worker_run(worker, &answer, &request, packet, strlen(packet), &err);
    if (s != LIMN_OK) print_error("%s\n", err.text);
    assert_int_equal(s, LIMN_OK);
    return answer;
}

static const char *text_of(const limn_xmp_answer *answer)
{
    return answer->packet.size ? answer->packet.bytes : "";
}

static limn_xmp_request write_of(const char *caption)
{
    return (limn_xmp_request){ .task = LIMN_XMP_WRITE, .caption = caption, .model = "0123" };
}

static void assert_has(const limn_xmp_answer *answer, const char *part)
{
    if (!strstr(text_of(answer), part)) print_error("no %s in\n%s\n", part, text_of(answer));
    assert_non_null(strstr(text_of(answer), part));
}

static void assert_has_not(const limn_xmp_answer *answer, const char *part)
{
    if (strstr(text_of(answer), part)) print_error("%s in\n%s\n", part, text_of(answer));
    assert_null(strstr(text_of(answer), part));
}

static limn_xmp_author author_of(const char *packet)
{
    limn_xmp_answer answer = run(packet, (limn_xmp_request){ .task = LIMN_XMP_LOOK });
    assert_int_equal(answer.packet.size, 0);
    return answer.author;
}

/* What strip leaves; equal packets compare equal once both are written by exempi. */
static limn_xmp_answer strip(const limn_xmp_answer *answer)
{
    return run(text_of(answer), (limn_xmp_request){ .task = LIMN_XMP_STRIP });
}

static void test_a_new_packet(void **state)
{
    const char *tags[] = { "cat", "sofa" };
    limn_xmp_request request = write_of("a cat <on> a \"sofa\" & more");
    (void)state;
    request.alt_text = request.caption;
    request.confidence = "0.5";
    request.tags = tags;
    request.n_tags = 2;
    limn_xmp_answer answer = run("", request), stripped;
    assert_int_equal(answer.author, LIMN_XMP_NOBODY);
    assert_true(answer.is_changed);
    assert_has(&answer,
               "<rdf:li xml:lang=\"x-default\">a cat &lt;on&gt; a \"sofa\" &amp; more</rdf:li>");
    assert_has(&answer, "<Iptc4xmpCore:AltTextAccessibility>");
    assert_has(&answer, "<rdf:li>sofa</rdf:li>");
    assert_has(&answer, "<limn:Confidence>0.5</limn:Confidence>");
    assert_has(&answer, "<limn:Model>0123</limn:Model>");
    assert_int_equal(author_of(text_of(&answer)), LIMN_XMP_MACHINE);
    /* a second time gives the same bytes */
    limn_xmp_answer again = run(text_of(&answer), request);
    assert_false(again.is_changed);
    assert_string_equal(text_of(&again), text_of(&answer));
    stripped = strip(&answer);
    assert_true(stripped.is_changed);
    assert_int_equal(stripped.packet.size, 0);
    limn_buffer_finish(&answer.packet);
    limn_buffer_finish(&again.packet);
    limn_buffer_finish(&stripped.packet);
}

static void test_whose_a_description_is(void **state)
{
    (void)state;
    assert_int_equal(author_of(BEGIN OTHER END), LIMN_XMP_NOBODY);
    assert_int_equal(author_of(BEGIN DESCRIPTION(" \n") END), LIMN_XMP_NOBODY);
    assert_int_equal(author_of(BEGIN DESCRIPTION("Anna") END), LIMN_XMP_PERSON);
    assert_int_equal(author_of(BEGIN "<dc:description>Anna</dc:description>" END), LIMN_XMP_PERSON);
    assert_int_equal(author_of(BEGIN "<dc:description><rdf:Alt><rdf:li xml:lang='de'>Anna</rdf:li>"
                                     "</rdf:Alt></dc:description>" END),
                     LIMN_XMP_PERSON);
    limn_xmp_answer answer = run(BEGIN OTHER END, write_of("a man")), edited;
    char text[8192];
    const char *at = strstr(text_of(&answer), ">a man<");
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s>Bert%s", (int)(at - text_of(&answer)), text_of(&answer),
             at + strlen(">a man"));
    assert_int_equal(author_of(text), LIMN_XMP_PERSON);
    edited = run(text, (limn_xmp_request){ .task = LIMN_XMP_STRIP });
    assert_has(&edited, "Bert");
    assert_has(&edited, "as it was");
    assert_has_not(&edited, "limn:");
    limn_buffer_finish(&answer.packet);
    limn_buffer_finish(&edited.packet);
}

static void test_rules(void **state)
{
    (void)state;
    for (int author = LIMN_XMP_NOBODY; author <= LIMN_XMP_CORRECTED; author++)
        for (int is_renewed = 0; is_renewed < 2; is_renewed++)
            for (int is_corrected = 0; is_corrected < 2; is_corrected++) {
                const bool is_limns = author >= LIMN_XMP_MACHINE;
                const bool skip =
                    limn_xmp_is_wanted(author, LIMN_EXISTING_SKIP, is_renewed, is_corrected);
                assert_true(
                    limn_xmp_is_wanted(author, LIMN_EXISTING_OVERWRITE, is_renewed, is_corrected));
                assert_int_equal(skip, author == LIMN_XMP_NOBODY || (is_limns && is_corrected) ||
                                           (author == LIMN_XMP_MACHINE && is_renewed));
                assert_int_equal(
                    limn_xmp_is_wanted(author, LIMN_EXISTING_APPEND, is_renewed, is_corrected),
                    author != LIMN_XMP_MACHINE || is_renewed || is_corrected);
            }
}

/* A person's text is kept next to the caption, or restored. */
static void test_a_person_s_text_comes_back(void **state)
{
    static const struct {
        limn_existing existing;
        const char *separator, *expected;
    } cases[] = {
        { LIMN_EXISTING_OVERWRITE, NULL, ">a man<" },
        { LIMN_EXISTING_APPEND, NULL, ">Anna&#xA;a man<" },
        { LIMN_EXISTING_APPEND, ", ", ">Anna, a man<" },
        { LIMN_EXISTING_PREPEND, ". ", ">a man. Anna<" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_xmp_request request = write_of("a man");
        request.existing = cases[i].existing;
        request.separator = cases[i].separator;
        limn_xmp_answer answer = run(BEGIN DESCRIPTION("Anna") OTHER SUBJECT END, request);
        assert_int_equal(answer.author, LIMN_XMP_PERSON);
        assert_has(&answer, cases[i].expected);
        assert_has(&answer, "<limn:Displaced>Anna</limn:Displaced>");
        /* renewed without --existing: in the same place */
        request = write_of("a woman");
        request.separator = cases[i].separator;
        limn_xmp_answer renewed = run(text_of(&answer), request);
        assert_has_not(&renewed, "a man");
        assert_has(&renewed, "a woman");
        assert_int_equal(strstr(strstr(text_of(&renewed), "dc:description"), "Anna") <
                             strstr(text_of(&renewed), "</dc:description>"),
                         cases[i].existing != LIMN_EXISTING_OVERWRITE);
        limn_xmp_answer stripped = strip(&renewed);
        assert_has(&stripped, ">Anna<");
        assert_has(&stripped, "as it was");
        assert_has(&stripped, "<rdf:li>dog</rdf:li>");
        assert_has_not(&stripped, "limn:");
        assert_has_not(&stripped, "woman");
        limn_buffer_finish(&answer.packet);
        limn_buffer_finish(&renewed.packet);
        limn_buffer_finish(&stripped.packet);
    }
}

/* What a person gave or edited stays, with what it displaced unless that was seen beside it. */
static void test_a_caption_that_a_person_gave(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        const limn_existing existing[] = { LIMN_EXISTING_APPEND, LIMN_EXISTING_PREPEND,
                                           LIMN_EXISTING_OVERWRITE };
        limn_xmp_request given = { .task = LIMN_XMP_WRITE,
                                   .caption = "Grandma",
                                   .alt_text = "Alt" };
        limn_xmp_request request = write_of("a woman");
        request.existing = existing[i];
        limn_xmp_answer first = run(BEGIN OTHER END, given), second, third;
        assert_int_equal(author_of(text_of(&first)), LIMN_XMP_CORRECTED);
        second = run(text_of(&first), request);
        assert_has(&second, i == 0   ? ">Grandma&#xA;a woman<"
                            : i == 1 ? ">a woman&#xA;Grandma<"
                                     : ">a woman<");
        assert_has(&second, "<limn:Displaced>Grandma</limn:Displaced>");
        third = strip(&second);
        assert_has(&third, ">Grandma<");
        assert_has(&third, ">Alt<");
        assert_has_not(&third, "limn:");
        limn_buffer_finish(&first.packet);
        limn_buffer_finish(&second.packet);
        limn_buffer_finish(&third.packet);
    }
}

/* Two persons' texts, one in the place of the other. */
static void test_two_persons_texts(void **state)
{
    static const struct {
        limn_existing first;
        const char *expected;
    } cases[] = { { LIMN_EXISTING_OVERWRITE, ">Anna&#xA;Grandma<" },
                  { LIMN_EXISTING_APPEND, ">Anna&#xA;Grandma<" },
                  { LIMN_EXISTING_PREPEND, ">Grandma&#xA;Anna<" } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_xmp_request request = write_of("a woman");
        limn_xmp_answer first =
            run(BEGIN DESCRIPTION("Anna") END, (limn_xmp_request){ .task = LIMN_XMP_WRITE,
                                                                   .existing = cases[i].first,
                                                                   .caption = "Grandma" });
        limn_xmp_answer stripped = strip(&first), second, undone, replaced;
        assert_has(&stripped, cases[i].expected);
        assert_has_not(&stripped, "limn:");
        request.existing = LIMN_EXISTING_OVERWRITE;
        second = run(text_of(&first), request);
        assert_has(&second, ">a woman<");
        undone = strip(&second);
        assert_has(&undone, cases[i].expected);
        limn_buffer_finish(&second.packet);
        limn_buffer_finish(&undone.packet);
        request.existing = LIMN_EXISTING_APPEND;
        second = run(text_of(&first), request);
        assert_has(&second, "&#xA;a woman<");
        undone = strip(&second);
        assert_has(&undone, cases[i].expected);
        /* a person's own second caption takes the place of the first */
        replaced = run(text_of(&first), (limn_xmp_request){ .task = LIMN_XMP_WRITE,
                                                            .existing = LIMN_EXISTING_OVERWRITE,
                                                            .caption = "Bert" });
        assert_has(&replaced, "<limn:Displaced>Anna</limn:Displaced>");
        assert_has_not(&replaced, "Grandma");
        limn_buffer_finish(&first.packet);
        limn_buffer_finish(&stripped.packet);
        limn_buffer_finish(&second.packet);
        limn_buffer_finish(&undone.packet);
        limn_buffer_finish(&replaced.packet);
    }
}

/* exempi would overwrite the German text with the English one, in other properties too. */
static void test_other_languages_are_kept(void **state)
{
    const char *packet =
        BEGIN "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Dog</rdf:li><rdf:li "
              "xml:lang='de-DE'>Hund</rdf:li></rdf:Alt></dc:title>"
              "<dc:description><rdf:Alt><rdf:li xml:lang='x-default'>A dog</rdf:li><rdf:li "
              "xml:lang='de-DE'>Ein Hund</rdf:li></rdf:Alt></dc:description>" END;
    limn_xmp_request request = write_of("a man");
    (void)state;
    request.existing = LIMN_EXISTING_OVERWRITE;
    limn_xmp_answer answer = run(packet, request), stripped;
    assert_has(&answer, "xml:lang=\"x-default\">a man<");
    assert_has(&answer, "xml:lang=\"de-DE\">Ein Hund<");
    assert_has(&answer, "xml:lang=\"x-default\">Dog<");
    assert_has(&answer, "xml:lang=\"de-DE\">Hund<");
    stripped = strip(&answer);
    assert_has(&stripped, "xml:lang=\"x-default\">A dog<");
    assert_has(&stripped, "xml:lang=\"de-DE\">Ein Hund<");
    limn_buffer_finish(&answer.packet);
    limn_buffer_finish(&stripped.packet);
}

/* Existing keywords are not limn's; a person's alternative text is kept. */
static void test_tags_and_alternative_texts(void **state)
{
    const char *tags[] = { "dog", "ball" };
    limn_xmp_request request = write_of("a dog");
    (void)state;
    request.tags = tags;
    request.n_tags = 2;
    request.alt_text = "a dog";
    limn_xmp_answer answer = run(
        BEGIN SUBJECT "<p:AltTextAccessibility "
                      "xmlns:p='http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/'><rdf:Alt><rdf:li "
                      "xml:lang='x-default'>My dog</rdf:li></rdf:Alt></p:AltTextAccessibility>" END,
        request);
    assert_has(&answer, ">My dog<");
    assert_has(&answer, "<rdf:li>ball</rdf:li>");
    assert_has_not(&answer, "limn:AltText");
    limn_xmp_answer stripped = strip(&answer);
    assert_has(&stripped, "<rdf:li>dog</rdf:li>");
    assert_has(&stripped, ">My dog<");
    assert_has_not(&stripped, "ball");
    /* without --tags and --alt-text, those of an earlier run are removed */
    limn_xmp_answer renewed = run(text_of(&answer), write_of("a cat"));
    assert_has_not(&renewed, "ball");
    assert_has(&renewed, "<rdf:li>dog</rdf:li>");
    limn_buffer_finish(&answer.packet);
    limn_buffer_finish(&stripped.packet);
    limn_buffer_finish(&renewed.packet);
}

static void test_nothing_of_limn_s_is_nothing_to_strip(void **state)
{
    (void)state;
    limn_xmp_answer answer =
        run(BEGIN DESCRIPTION("Anna") END, (limn_xmp_request){ .task = LIMN_XMP_STRIP });
    assert_false(answer.is_changed);
    limn_buffer_finish(&answer.packet);
}

static void test_bad_packets(void **state)
{
    static const struct {
        const char *packet, *reason;
    } bad[] = {
        { "no XML", "its XMP can't be read" },
        { "<a><b/></a>", "its XMP can't be read" },
        { "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF", "its XMP can't be read" },
        { "<!DOCTYPE x [<!ENTITY a 'b'>]>" BEGIN END, "declares a document type or entities" },
        { BEGIN "<o:a>\xff</o:a>" END, "has invalid UTF-8 at byte" },
        { "<\0x\0:\0", "its XMP can't be read" },
        { BEGIN "<o:a xml:lang='x-default-limn'>b</o:a>" END, "contains the word" },
    };
    const limn_xmp_request request = write_of("a man");
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        limn_xmp_answer answer;
        limn_error err = { 0 };
        assert_int_not_equal(limn_xmp_worker_run(worker, &answer, &request, bad[i].packet,
                                                 strlen(bad[i].packet), &err),
                             LIMN_OK);
        if (!strstr(err.text, bad[i].reason)) print_error("%zu: %s\n", i, err.text);
        assert_non_null(strstr(err.text, bad[i].reason));
        assert_int_equal(answer.packet.size, 0);
    }
}

/* Deep and long trees give an error or an answer, and never crash the process. */
static void test_large_packets(void **state)
{
    const limn_xmp_request request = write_of("a man");
    limn_buffer packet = { 0 };
    limn_xmp_answer answer;
    limn_error err = { 0 };
    (void)state;
    limn_buffer_append_text(&packet, BEGIN);
    for (int i = 0; i < 3000; i++) limn_buffer_printf(&packet, "<o:p%d>x</o:p%d>", i, i);
    limn_buffer_append_text(&packet, END);
    assert_int_equal(
        limn_xmp_worker_run(worker, &answer, &request, packet.bytes, packet.size, &err), LIMN_OK);
    assert_has(&answer, "<o:p2999>x</o:p2999>");
    limn_buffer_finish(&answer.packet);
    limn_buffer_clear(&packet);
    while (packet.size <= LIMN_XMP_MAX_SIZE) limn_buffer_append_text(&packet, DESCRIPTION("a"));
    assert_int_equal(
        limn_xmp_worker_run(worker, &answer, &request, packet.bytes, packet.size, &err),
        LIMN_E_LIMIT);
    assert_non_null(strstr(err.text, "more than 4194304"));
    limn_buffer_finish(&packet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_packet),
        cmocka_unit_test(test_whose_a_description_is),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_a_person_s_text_comes_back),
        cmocka_unit_test(test_a_caption_that_a_person_gave),
        cmocka_unit_test(test_two_persons_texts),
        cmocka_unit_test(test_other_languages_are_kept),
        cmocka_unit_test(test_tags_and_alternative_texts),
        cmocka_unit_test(test_nothing_of_limn_s_is_nothing_to_strip),
        cmocka_unit_test(test_bad_packets),
        cmocka_unit_test(test_large_packets),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
