#include "tools/limn/caption_settings.h"

#include <math.h>

#include "models/options.h"
#include "tools/environment.h"
#include "tools/message.h"
#include "tools/shared_options.h"

#define FIELD(name) .offset = offsetof(caption_settings, name)

static const char *const xmp_names[] = { "full", "stem", NULL };

static const limn_option options[] = {
    LIMN_ROW_RECURSIVE(FIELD(in.is_recursive), .group = "Input"),
    LIMN_ROW_NULL(FIELD(in.is_nul_separated), .group = "Input", .is_neutral = true),
    { "include", 0, "GLOB", "only names that match", .group = "Input",
      .detail =
          "A shell pattern. Without a slash it is matched against the last component of a path; "
          "with one, against the whole path below the given folder, where * matches slashes too.",
      .type = LIMN_OPT_LIST, FIELD(in.includes), .is_more = true },
    { "exclude", 0, "GLOB", "leave out names that match", .group = "Input",
      .detail =
          "Like --include, which it overrides. It also applies to folders, whose contents are "
          "then skipped.",
      .type = LIMN_OPT_LIST, FIELD(in.excludes), .is_more = true },
    { "shard", 0, "I/N", "only part I of N, counted from 0", .group = "Input",
      .detail = "Images are assigned by a hash of their path below the given folder, so parts are "
                "the same on every machine, whatever the order.",
      .type = LIMN_OPT_TEXT, FIELD(in.shard), .is_more = true },
    { "model", 0, "FILE", "model file (default: limn-default)",
      .detail = "Several models form an ensemble: at each step their probabilities are averaged. "
                "They must have the same vocabulary; everything else is taken from the first.",
      .group = "Captioning", .type = LIMN_OPT_LIST, FIELD(captioning.models), .is_neutral = true },
    { "ban-file", 0, "FILE", "ban each line of FILE, a word or phrase",
      .detail = "Lines with words that the model's vocabulary lacks are ignored, since it never "
                "writes them; -v counts them.",
      .group = "Captioning", .type = LIMN_OPT_LIST, FIELD(captioning.ban_files), .is_more = true },
    { "format", 0, "NAME", "text, jsonl, csv … (default: from FILE's name)", .group = "Output",
      .detail =
          "text: PATH, a tab, CAPTION; one line per caption, none for an image that failed; in "
          "PATH, backslash, tab, newline and carriage return are written \\\\, \\t, \\n and "
          "\\r.\n\njsonl: one object per image; failed ones have the key \"error\". In a name that "
          "is not UTF-8, \"file\" has invalid bytes as \\xNN, and \"file_bytes\" has all bytes in "
          "hexadecimal.\n\ncsv: RFC 4180, with the columns file, caption, logprob, score, rank and "
          "file_bytes, which is empty if the name is UTF-8.\n\ntsv: the same without "
          "file_bytes; names as in text, with invalid bytes as \\xNN.\n\ncaption: the captions "
          "alone, one per line.\n\ncoco: COCO's results format. image_id is the number at the end "
          "of a name like 42.jpg or COCO_val2014_000000000042.jpg, and \"path\" is the name; "
          "otherwise image_id is the name itself.\n\nmetadata: metadata.jsonl for Hugging Face's "
          "imagefolder, with file_name and text; file_name is relative to the folder of FILE if "
          "the image is below it, otherwise to the given folder.\n\nFILE.csv, FILE.tsv, "
          "FILE.jsonl, FILE.json (coco) and metadata.jsonl imply their format. With --n-best, "
          "text, csv and tsv have one line per caption, jsonl and coco have \"captions\", and "
          "metadata has \"texts\".",
      .type = LIMN_OPT_CHOICE, FIELD(out.format), .choices = limn_format_names },
    { "prefix", 0, "TEXT", "write TEXT before each caption", .group = "Output",
      .type = LIMN_OPT_TEXT, FIELD(out.prefix), .is_more = true },
    { "suffix", 0, "TEXT", "write TEXT after each caption", .group = "Output",
      .type = LIMN_OPT_TEXT, FIELD(out.suffix), .is_more = true },
    { "signals", 0, NULL, "in jsonl, the features of the confidence model", .group = "Output",
      .detail =
          "Numbers about the best caption, in \"signals\", for limn-eval --fit: mean and minimum "
          "log-probability of its tokens, entropy, length, what the image adds to the "
          "log-probability, margin over the other captions of the beam and agreement with them, "
          "and, from the tags, the lowest log-probability of an object that it names, that of a "
          "person if it mentions people, whether it mentions people, and how familiar the image "
          "is.",
      .type = LIMN_OPT_FLAG, FIELD(captioning.has_signals), .is_more = true },
    { "min-confidence", 0, "C", "leave out captions with a confidence below C", .group = "Output",
      .detail =
          "Such a caption is not written: jsonl has \"caption\": null and \"why\": \"low "
          "confidence\", other formats an empty caption, and a sidecar an empty line. The "
          "image counts as done. With --n-best, each caption is judged on its own. The number "
          "of images left without a caption is reported at the end.",
      .type = LIMN_OPT_REAL, FIELD(captioning.min_confidence), .min = 0, .max = 1 },
    { "explain", 0, "DIR", "DIR/NAME.html: how each caption was found", .group = "Output",
      .detail = "One self-contained page per image: where each attention head looked for each "
                "word, the alternatives it considered, and the hypotheses that the search kept and "
                "dropped. NAME is the image's name, or its path below the given folder. An "
                "existing page is never replaced; if it differs, that is an error.",
      .type = LIMN_OPT_TEXT, FIELD(out.explain) },
    { "attention", 0, "DIR", "DIR/NAME/…: attention, as numbers and images", .group = "Output",
      .detail = "One folder per image: attention.npy, f32 [tokens, layers, heads, height, width], "
                "where each [height, width] sums to 1 (less if the model has tag slots); "
                "attention.txt, the tokens, one per line; 01-WORD.png and so on, the image "
                "overlaid with the last layer's attention, averaged over its heads; sheet.png, all "
                "of these with the words and their probabilities. With --n-best, DIR/NAME/1/… for "
                "the best caption and so on. Existing files are treated as with --explain.",
      .type = LIMN_OPT_TEXT, FIELD(out.attention), .is_more = true },
    { "output", 'o', "FILE", "write to FILE, or add what is missing", .group = "Output",
      .detail =
          "Until the run is complete, the file is called FILE.part, with a journal FILE.limn-run "
          "next to it, from which the same command resumes after an interruption. If FILE exists, "
          "its contents are kept, and images that have a line in it are skipped. If the images are "
          "in archives, FILE may be a folder (or end with a slash), which then gets a NAME.jsonl "
          "for each NAME.tar; archives that already have one are skipped.",
      .type = LIMN_OPT_TEXT, FIELD(out.output), .is_neutral = true },
    { "sidecar", 0, "EXT", "one file next to each image: a.txt for a.jpg",
      .detail = "It holds the captions alone, one per line, or with --format jsonl the object, in "
                "a.json. EXT sets another extension; for xmp, see --help photos. If two images "
                "would share a file, the run is refused before anything is written. The journal is "
                "a hidden file ending in "
                ".limn-run, in the first given folder or in DIR (--out-dir).",
      .group = "Output", .type = LIMN_OPT_TEXT, FIELD(out.sidecar), .is_optional = true },
    { "sidecar-full", 0, NULL, "sidecars named a.jpg.txt, not a.txt", .group = "Output",
      .type = LIMN_OPT_FLAG, FIELD(out.is_sidecar_full), .is_more = true },
    { "out-dir", 0, "DIR", "put sidecars in DIR, in the same subfolders", .group = "Output",
      .detail = "The path below DIR is the image's path below the given folder; for an image that "
                "was given itself, its path as written.",
      .type = LIMN_OPT_TEXT, FIELD(out.out_dir), .is_more = true },
    { "existing", 0, "NAME", "if a sidecar exists: skip (default), append …", .group = "Output",
      .detail =
          "skip: keep it, and don't caption the image. overwrite: replace it. append, prepend: add "
          "the caption as lines after or before the existing text, which must be UTF-8. error: "
          "refuse the run. A run that is interrupted and resumed adds each caption once; running a "
          "finished command again with append adds the captions again. With XMP, this applies to "
          "descriptions that a person wrote.",
      .type = LIMN_OPT_CHOICE, FIELD(out.existing), .choices = limn_existing_names,
      .is_more = true },
    { "separator", 0, "TEXT", "put TEXT between the old text and the caption", .group = "Output",
      .detail =
          "With --existing append or prepend, the caption does not become a line of its own but "
          "continues the existing text, as in \"a tag, another tag\" with --separator \", \".",
      .type = LIMN_OPT_TEXT, FIELD(out.separator), .is_more = true },
    { "csv-safe", 0, NULL, "in csv, escape what a spreadsheet would execute", .group = "Output",
      .detail =
          "Names and captions that begin with =, +, -, @, a tab or a carriage return, which "
          "a spreadsheet would take for formulas, get a leading apostrophe; file_bytes then has "
          "the exact name. Without this option they are written unchanged.",
      .type = LIMN_OPT_FLAG, FIELD(out.is_csv_safe), .is_more = true },
    { "tar", 0, "EXT", "with -o FOLDER: copy the tars, add NAME.EXT", .group = "Output",
      .detail = "Writes copies of the tars instead of records: every member unchanged, and after "
                "each image NAME.jpg a member NAME.EXT. If EXT is json or ends in json, the member "
                "holds the record as in jsonl, otherwise the captions, one per line. A tar that "
                "already has such a member is refused.",
      .type = LIMN_OPT_LIST, FIELD(out.tar), .is_more = true },
    { "errors", 0, "FILE", "list the failures: PATH, cause, detail", .group = "Output",
      .detail = "Tab-separated lines, with names escaped as in text. An existing FILE is replaced "
                "only if it is such a list.",
      .type = LIMN_OPT_TEXT, FIELD(out.errors), .is_more = true },
    { "report", 0, "FILE", "a page of thumbnails, captions and failures", .group = "Output",
      .detail = "One self-contained HTML file for looking over the results of this run: the "
                "captions, least certain first, then what failed and why. Of more than 1000 "
                "images, it shows the 500 least certain and a sample of 500 others. An existing "
                "FILE is replaced "
                "only if it is such a page.",
      .type = LIMN_OPT_TEXT, FIELD(out.report), .is_neutral = true, .is_more = true },
    { "xmp-name", 0, "NAME", "with --sidecar=xmp: a.jpg.xmp (full, default) or a.xmp (stem)",
      .detail =
          "--sidecar=xmp writes the best caption as the description (dc:description) into an XMP "
          "file next to each image, which digiKam, darktable, Lightroom, Immich and others read. "
          "What is already there is kept: other properties, and a description that a person wrote "
          "or changed, unless --existing says otherwise. limn marks what it wrote with the "
          "model's SHA-256 and, with --confidence, the confidence. Most programs look for full, "
          "Lightroom for stem.",
      .group = "Photos", .type = LIMN_OPT_CHOICE, FIELD(out.xmp_name), .choices = xmp_names,
      .is_more = true },
    { "write-xmp", 0, NULL, "write XMP into the images: JPEG, PNG, WebP, TIFF",
      .detail =
          "Like --sidecar=xmp, but the description goes into the image file itself. A new file "
          "replaces it once that is complete: pixels and all other metadata are the same bytes, "
          "and times, mode and owner are kept. Links, read-only files and other formats are "
          "errors.",
      .group = "Photos", .type = LIMN_OPT_FLAG, FIELD(out.is_inside), .is_more = true },
    { "backup", 0, NULL, "with --write-xmp: keep a.jpg as a.jpg_original", .group = "Photos",
      .detail = "An existing backup is kept. In folders, files with such names are skipped.",
      .type = LIMN_OPT_FLAG, FIELD(out.has_backup), .is_more = true },
    { "alt-text", 0, NULL, "write the caption as the alternative text, too", .group = "Photos",
      .detail = "In Iptc4xmpCore:AltTextAccessibility, unless a person has written one there. "
                "With --tags N, the concepts that the model recognises are written as keywords "
                "(dc:subject).",
      .type = LIMN_OPT_FLAG, FIELD(out.has_alt_text), .is_more = true },
    { "renew", 0, NULL, "replace descriptions that limn wrote before", .group = "Photos",
      .detail = "Without it, images that have one are skipped. A description that a person has "
                "since changed counts as the person's.",
      .type = LIMN_OPT_FLAG, FIELD(out.is_renewed), .is_more = true },
    { "apply-xmp", 0, "FILE", "write the captions in FILE to XMP; caption nothing",
      .detail =
          "FILE is limn's output, perhaps corrected, or another file of captions: JSONL, text, "
          "csv, "
          "tsv …; images are found in it by their path, or by their path below the named folder. "
          "The captions go into the sidecars (--sidecar=xmp, the default) or the files "
          "(--write-xmp) of the images that are named or below the named folders. They replace "
          "limn's earlier captions, and count as a person's from then on. -o, if it is given, must "
          "be FILE, which stays as it is.",
      .group = "Photos", .type = LIMN_OPT_TEXT, FIELD(out.applied), .is_more = true },
    { "undo-xmp", 0, NULL, "undo what limn wrote to XMP", .group = "Photos",
      .detail =
          "Captions nothing. This concerns the images and XMP files that are named, or below the "
          "named folders at any depth. Those that only limn has changed get back the bytes they "
          "had before limn, and sidecars that limn made are removed. From those that another "
          "program has changed since, or between two runs of limn, what all runs wrote is removed "
          "(but not a caption from --apply-xmp that the other program saved), and the text that "
          "limn replaced is put back. That text is kept in .limn-undo, a hidden file in each "
          "folder, which is removed once everything in it is undone. --dry-run lists the files.",
      .type = LIMN_OPT_FLAG, FIELD(out.is_undone), .is_neutral = true, .is_more = true },
    { "dry-run", 0, NULL, "only list the images that would be captioned", .group = "Running",
      .detail = "These are the images that --existing, an interrupted run, or lines in the output "
                "leave to do. Images are not decoded, and nothing is written.",
      .type = LIMN_OPT_FLAG, FIELD(run.is_dry_run), .is_neutral = true, .is_more = true },
    { "force", 0, NULL, "resume even with another model or other options", .group = "Running",
      .detail = "An interrupted run resumes only with the model and options it was started with. "
                "--force resumes it anyway; the output then has captions of both.",
      .type = LIMN_OPT_FLAG, FIELD(run.is_forced), .is_neutral = true, .is_more = true },
    { "strict", 0, NULL, "stop at the first image that fails", .group = "Running",
      .type = LIMN_OPT_FLAG, FIELD(run.is_strict), .is_neutral = true, .is_more = true },
    LIMN_ROW_QUIET(FIELD(run.is_quiet), .group = "Running", .is_neutral = true),
    { "verbose", 'v', NULL, "print what is used and what was left out", .group = "Running",
      .type = LIMN_OPT_FLAG, FIELD(run.is_verbose), .is_neutral = true },
    LIMN_ROW_THREADS(FIELD(run.n_threads), .group = "Running", .is_neutral = true),
    LIMN_ROW_SANDBOX(FIELD(run.sandbox), .group = "Running",
                     .detail =
                         "Images are decoded in processes that can only read, write and compute, "
                         "so a flaw in an image library, or an image that takes too much memory or "
                         "time, costs only that image. auto: if the kernel supports it (seccomp); "
                         "on: refuse to run without it. The captions are the same.",
                     .is_neutral = true, .is_more = true),
    LIMN_ROW_CPU(FIELD(run.cpu), .group = "Running", .is_neutral = true),
};

static const limn_cli_example examples[] = {
    { "limn photo.jpg", "The caption of one image." },
    { "limn -r photos > captions.txt", "Every image below a folder." },
    { "limn --format jsonl --n-best 3 -o captions.jsonl photos",
      "Three captions per image, with log-probabilities." },
    { "find . -name '*.png' -print0 | limn -0 -", "A list of names on standard input." },
    { "limn -r photos --sidecar --existing append",
      "Adds the caption as a line to the photo.txt next to each photo.jpg." },
    { "limn -r --shard 3/16 -o captions.3.jsonl photos",
      "One sixteenth of the images, the same on every machine." },
    { "limn --sample --temperature 0.8 --top-p 0.9 --n-best 5 --seed 1 photo.jpg",
      "Five captions drawn at random." },
    { "limn --beam 6 --groups 3 --diversity 0.5 --n-best 6 photo.jpg",
      "Six captions from three diverse groups." },
    { "limn --must 'dog|puppy' --must frisbee --start-with 'two people' photo.jpg",
      "The best caption that contains these words." },
    { "limn --rerank consensus photo.jpg", "The caption that agrees most with the others." },
};

const limn_cli_tool caption_cli_tool = {
    .name = "limn",
    .summary = "captions for images",
    .operands = "PATH...",
    .description =
        "Writes a caption for each image. A PATH is an image, a folder or archive of images, or - "
        "for a list of paths on standard input. A folder is read in byte order of its names, and "
        "captions come in the order of the images, whatever the number of threads. The same image, "
        "model and options give the same bytes everywhere.\n\nIn folders, hidden files are left "
        "out, and so are files that have neither the extension nor the first bytes of an image. A "
        "file that was named on the command line or in a list, or that has an image's extension, "
        "is an error if it is not an image. Symbolic links are followed. An image that is named "
        "twice is captioned twice.\n\nAn archive (.tar, .tar.gz, .tgz, .zip) is read like a "
        "folder, without unpacking it; its images are named ARCHIVE/MEMBER and keep its order. "
        "Archives inside folders are read with -r. Links, archives inside archives, and names that "
        "point outside the archive are errors.\n\nAn image that fails is named on standard error, "
        "and the others get their captions. No caption is made from a partly decoded image.\n\nOn "
        "SIGINT or SIGTERM, limn finishes the images in progress; a second signal ends it at once, "
        "though not in the middle of a line. With -o or --sidecar, the same command resumes "
        "the run, even after a kill or a power cut: the journal records what is done, and the "
        "files end up as those of an uninterrupted run. Failed images in the journal count as "
        "done. Without a journal, "
        "existing lines and sidecars count as done, except an incomplete last line. Two runs "
        "cannot write the same output at once: the second is refused.",
    .examples = examples,
    .n_examples = sizeof examples / sizeof *examples,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .takes_captioning = true,
    .captioning = offsetof(caption_settings, captioning.options),
    .min_operands = 1,
    .max_operands = SIZE_MAX,
};

caption_settings caption_settings_default(void)
{
    return (caption_settings){ .captioning.options = limn_options_default(),
                               .captioning.min_confidence = NAN,
                               .run.n_threads = limn_default_threads(),
                               .out.existing = LIMN_EXISTING_UNSET,
                               .out.xmp_name = CAPTION_XMP_NAME_UNSET,
                               .out.format = LIMN_FORMAT_BY_NAME };
}

static bool has_place_for_confidence(const caption_output *out)
{
    return out->report || out->format == LIMN_FORMAT_JSONL || out->format == LIMN_FORMAT_CSV ||
           out->format == LIMN_FORMAT_TSV || out->xmp;
}

static bool check_options(const caption_settings *s)
{
    const limn_options *o = &s->captioning.options;
    if (o->n_alternatives > 0 && s->out.format != LIMN_FORMAT_JSONL)
        limn_message_error("--alternatives: needs --format jsonl");
    else if (o->n_tags > 0 && s->out.format != LIMN_FORMAT_JSONL && !s->out.xmp)
        limn_message_error("--tags: needs --format jsonl, --sidecar=xmp or --write-xmp");
    else if (s->captioning.has_confidence && !has_place_for_confidence(&s->out))
        limn_message_error("--confidence: needs --format jsonl, csv or tsv, or --report");
    else if (s->captioning.has_signals && s->out.format != LIMN_FORMAT_JSONL)
        limn_message_error("--signals: needs --format jsonl");
    else
        return true;
    return false;
}

static bool complete_captioning(caption_settings *s)
{
    limn_error err = { 0 };
    s->captioning.has_confidence = s->captioning.options.has_confidence;
    s->captioning.options.has_confidence |=
        s->captioning.has_signals || !isnan(s->captioning.min_confidence);
    limn_options_complete(&s->captioning.options);
    if (limn_options_check(&s->captioning.options, "--", &err) == LIMN_OK) return true;
    limn_message_error("%s", err.text);
    return false;
}

bool caption_settings_complete(caption_settings *s)
{
    return complete_captioning(s) && check_options(s);
}

void caption_settings_finish(caption_settings *s)
{
    limn_cli_finish(s, &caption_cli_tool);
}
