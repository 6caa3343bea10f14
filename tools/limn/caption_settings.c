#include "tools/limn/caption_settings.h"

#include <math.h>

#include "models/options.h"
#include "tools/environment.h"
#include "tools/message.h"

#define FIELD(name) .offset = offsetof(caption_settings, name)

static const limn_option options[] = {
    { "recursive", 'r', NULL, "go into folders inside folders", .group = "Input",
      .type = LIMN_OPT_FLAG, FIELD(in.is_recursive) },
    { "null", '0', NULL, "the list on standard input is NUL-separated", .group = "Input",
      .type = LIMN_OPT_FLAG, FIELD(in.is_nul_separated), .is_neutral = true },
    { "include", 0, "GLOB", "take only such names; may be repeated", .group = "Input",
      .detail = "A pattern of the shell. Without a slash it is for the last part of a path, with "
                "one for all of it below the folder that was named; * matches slashes too.",
      .type = LIMN_OPT_LIST, FIELD(in.includes), .is_more = true },
    { "exclude", 0, "GLOB", "leave out such names; may be repeated", .group = "Input",
      .detail = "As --include, which it overrides; also folders, which are then not entered.",
      .type = LIMN_OPT_LIST, FIELD(in.excludes), .is_more = true },
    { "shard", 0, "I/N", "take part I of N, counted from 0", .group = "Input",
      .detail = "By a hash of the path below the folder that was named: the same parts on every "
                "machine, whatever the order.",
      .type = LIMN_OPT_TEXT, FIELD(in.shard), .is_more = true },
    { "model", 0, "FILE", "the model (default: the one that came with limn)",
      .detail = "Given more than once, the models form an ensemble: at each step the mean of their "
                "probabilities counts. They must have one vocabulary; all else is as the first one "
                "says.",
      .group = "Captioning", .type = LIMN_OPT_LIST, FIELD(captioning.models), .is_neutral = true },
    { "ban-file", 0, "FILE", "ban the words or the phrase on each line of FILE",
      .detail = "Lines with words that are not in the model's vocabulary are passed over: it never "
                "writes them (-v tells how many).",
      .group = "Captioning", .type = LIMN_OPT_LIST, FIELD(captioning.ban_files), .is_more = true },
    { "format", 0, "NAME", "text, jsonl, csv … (default: as FILE is called)", .group = "Output",
      .detail = "text: PATH, a tab, CAPTION; one line for each caption, none for an image that "
                "failed; in PATH, backslash, tab, newline and carriage return are written \\\\, "
                "\\t, \\n and \\r.\n\n"
                "jsonl: one object for each image, failed ones with the key error; a name that "
                "is not UTF-8 has its odd bytes as \\xNN in file, and all its bytes, two "
                "hexadecimal digits each, in file_bytes.\n\n"
                "csv: RFC 4180, with a header; file, caption, logprob, score, rank and file_bytes, "
                "which is empty when the name is UTF-8.\n\n"
                "tsv: the same without file_bytes; names as in text, with odd bytes as \\xNN.\n\n"
                "caption: the captions alone, a line each.\n\n"
                "coco: COCO's result format. image_id is the number that a name like 42.jpg or "
                "COCO_val2014_000000000042.jpg ends in, with the name in path; else the name "
                "itself.\n\n"
                "metadata: metadata.jsonl for Hugging Face's imagefolder, file_name and text; "
                "file_name is below the folder of FILE where that is above the image, else below "
                "the folder that was named.\n\n"
                "FILE.csv, FILE.tsv, FILE.jsonl, FILE.json (coco) and metadata.jsonl ask for their "
                "format by themselves. With --n-best, text, csv and tsv have a line for each "
                "caption; jsonl and coco have captions, metadata has texts.",
      .type = LIMN_OPT_CHOICE, FIELD(out.format), .choices = limn_format_names },
    { "prefix", 0, "TEXT", "write TEXT before each caption", .group = "Output",
      .type = LIMN_OPT_TEXT, FIELD(out.prefix), .is_more = true },
    { "suffix", 0, "TEXT", "write TEXT after each caption", .group = "Output",
      .type = LIMN_OPT_TEXT, FIELD(out.suffix), .is_more = true },
    { "signals", 0, NULL, "in jsonl, what a confidence is made of", .group = "Output",
      .detail = "Numbers of the best caption in signals, for limn-eval --fit: logprob of a token "
                "and the least of any, entropy, length, what the image adds to logprob, margin "
                "over the beam's other captions and agreement with them, and by the tags: the "
                "least log-probability of an object that it names, that of a person where it names "
                "people, whether it does, and how familiar the image is.",
      .type = LIMN_OPT_FLAG, FIELD(captioning.has_signals), .is_more = true },
    { "min-confidence", 0, "C", "leave out captions less likely right than C", .group = "Output",
      .detail = "Such a caption is not written: jsonl has \"caption\": null and \"why\": \"low "
                "confidence\", the other formats an empty caption, a sidecar of captions an empty "
                "line. The image counts as done; with --n-best, captions go one by one. How many "
                "images were left without is told in the end.",
      .type = LIMN_OPT_REAL, FIELD(captioning.min_confidence), .min = 0, .max = 1 },
    { "explain", 0, "DIR", "DIR/NAME.html: how each caption came about", .group = "Output",
      .detail = "A page for each image, of one file that needs no network: where the network "
                "looked for each word, by layer and head, what else it considered, and which "
                "beginnings the search kept and let go. NAME is the image's, or its path below "
                "the folder. A page that is there already is left as it is, and an error unless "
                "it is the same.",
      .type = LIMN_OPT_TEXT, FIELD(out.explain) },
    { "attention", 0, "DIR", "DIR/NAME/…: attention, as numbers and images", .group = "Output",
      .detail = "A folder for each image: attention.npy, f32 [tokens, layers, heads, height, "
                "width], each [height, width] summing to 1, or less with a model that has tag "
                "slots; attention.txt, the tokens, one a line; "
                "01-WORD.png and so on, the image with where the last layer looked, the mean of "
                "its heads; sheet.png, all of them with the words and their probabilities. With "
                "--n-best, DIR/NAME/1/… for the best caption and so on. Files that are there "
                "already as for --explain.",
      .type = LIMN_OPT_TEXT, FIELD(out.attention), .is_more = true },
    { "output", 'o', "FILE", "write to FILE, or add to it what it lacks", .group = "Output",
      .detail = "The file is called FILE.part until the run is complete, with a journal "
                "FILE.limn-run beside it, from which the same command goes on after an "
                "interruption. When FILE is there already, what it holds is kept, and images "
                "that have their lines in it are skipped. FILE may be a folder (or end with a "
                "slash) when the images are in archives: it gets NAME.jsonl for NAME.tar; "
                "archives whose files are there are skipped.",
      .type = LIMN_OPT_TEXT, FIELD(out.output), .is_neutral = true },
    { "sidecar", 0, "EXT", "a file beside each image: a.jpg, a.txt",
      .detail = "The captions alone, a line each; with --format jsonl the object, in a.json. EXT "
                "is another extension. The run is refused before anything is written when two "
                "images would share a file. Its journal is a hidden file that ends in "
                ".limn-run, in the folder that is named first or in DIR.",
      .group = "Output", .type = LIMN_OPT_TEXT, FIELD(out.sidecar), .is_optional = true },
    { "sidecar-full", 0, NULL, "a.jpg.txt, not a.txt", .group = "Output", .type = LIMN_OPT_FLAG,
      FIELD(out.is_sidecar_full), .is_more = true },
    { "out-dir", 0, "DIR", "sidecars in DIR, as the images are in theirs", .group = "Output",
      .detail = "Below DIR as the image is below the folder that was named; an image that was "
                "named itself, as it was written.",
      .type = LIMN_OPT_TEXT, FIELD(out.out_dir), .is_more = true },
    { "existing", 0, "NAME", "when a sidecar is there: skip (default) …", .group = "Output",
      .detail = "skip: leave it, and do not caption the image. overwrite: replace it. append, "
                "prepend: add the caption as lines after or before what is there, which must be "
                "UTF-8. error: refuse the run. A run that is interrupted and goes on does each "
                "once; a finished run that is given again with append adds the captions again.",
      .type = LIMN_OPT_CHOICE, FIELD(out.existing), .choices = limn_existing_names,
      .is_more = true },
    { "separator", 0, "TEXT", "put TEXT before or after an added caption", .group = "Output",
      .detail = "With --existing append or prepend: the caption does not become a line of its own, "
                "but goes on with what is there, as in \"a tag, another tag\" with --separator \", "
                "\".",
      .type = LIMN_OPT_TEXT, FIELD(out.separator), .is_more = true },
    { "csv-safe", 0, NULL, "csv: ' before what a spreadsheet would compute", .group = "Output",
      .detail =
          "Names and captions that begin with =, +, -, @, a tab or a carriage return, which a "
          "spreadsheet takes for a formula, get an apostrophe before them; file_bytes then "
          "tells the name as it is. Without this option they stay as they are.",
      .type = LIMN_OPT_FLAG, FIELD(out.is_csv_safe), .is_more = true },
    { "tar", 0, "ENDING", "with -o FOLDER: tars, NAME.ENDING added", .group = "Output",
      .detail = "Instead of records, copies of the tars: every member as it was, and after each "
                "image NAME.jpg a member NAME.ENDING: with an ENDING that is json, or ends so, "
                "the record as in jsonl, with any other the captions, one a line. May be repeated. "
                "A tar that has such a member already is refused.",
      .type = LIMN_OPT_LIST, FIELD(out.tar), .is_more = true },
    { "errors", 0, "FILE", "list what failed: PATH, cause, detail", .group = "Output",
      .detail = "Lines with tabs between the fields; in names as in text. FILE is "
                "replaced when it is the list of a run before, and nothing else is.",
      .type = LIMN_OPT_TEXT, FIELD(out.errors), .is_more = true },
    { "report", 0, "FILE", "a page of thumbnails, captions and failures", .group = "Output",
      .detail = "One HTML file that needs no other, to look over the results of this run: what "
                "failed and why, then the captions, lowest scores first. Of more than 1000 "
                "images it has the 500 with the lowest scores, and 500 drawn from the others. "
                "An older page of limn's at FILE is replaced, nothing else is.",
      .type = LIMN_OPT_TEXT, FIELD(out.report), .is_neutral = true, .is_more = true },
    { "dry-run", 0, NULL, "only name the images that would be captioned", .group = "Running",
      .detail = "Those that --existing, an interrupted run, or lines in the output leave to be "
                "done; images are not decoded, and nothing is written.",
      .type = LIMN_OPT_FLAG, FIELD(run.is_dry_run), .is_neutral = true, .is_more = true },
    { "force", 0, NULL, "go on under another model or other options", .group = "Running",
      .detail = "An interrupted run goes on with the model and the options that it was begun with, "
                "and is refused otherwise. --force goes on all the same: the output is then of "
                "two kinds.",
      .type = LIMN_OPT_FLAG, FIELD(run.is_forced), .is_neutral = true, .is_more = true },
    { "strict", 0, NULL, "stop at the first image that fails", .group = "Running",
      .type = LIMN_OPT_FLAG, FIELD(run.is_strict), .is_neutral = true, .is_more = true },
    { "quiet", 'q', NULL, "say nothing but errors", .group = "Running", .type = LIMN_OPT_FLAG,
      FIELD(run.is_quiet), .is_neutral = true },
    { "verbose", 'v', NULL, "say what is used, and what was left out", .group = "Running",
      .type = LIMN_OPT_FLAG, FIELD(run.is_verbose), .is_neutral = true },
    { "threads", 0, "N", "threads (default: all cores)", .group = "Running", .type = LIMN_OPT_COUNT,
      FIELD(run.n_threads), .min = 1, .max = LIMN_MAX_THREADS, .is_neutral = true },
    { "sandbox", 0, "WHEN", "decode in bare processes: auto, on or off",
      .detail = "Images are decoded in processes that may do nothing but read, write and "
                "compute: a flaw in an image library, or an image that takes too much memory or "
                "time, costs one image. auto (default): where the kernel can (seccomp); on: or "
                "not at all. The captions are the same.",
      .group = "Running", .type = LIMN_OPT_CHOICE, FIELD(run.sandbox), .choices = limn_sandbox_uses,
      .is_neutral = true, .is_more = true },
    { "cpu", 0, "LEVEL", "c, avx2 … (default: the best here)", .group = "Running",
      .type = LIMN_OPT_TEXT, FIELD(run.cpu), .is_neutral = true },
};

static const limn_cli_example examples[] = {
    { "limn photo.jpg", "The caption of one image." },
    { "limn -r photos > captions.txt", "Every image below a folder." },
    { "limn --format jsonl --n-best 3 -o captions.jsonl photos",
      "Three captions an image, with log-probabilities." },
    { "find . -name '*.png' -print0 | limn -0 -", "A list of names on standard input." },
    { "limn -r photos --sidecar --existing append",
      "The caption as a line more in photo.txt beside each photo.jpg." },
    { "limn -r --shard 3/16 -o captions.3.jsonl photos",
      "A sixteenth of the images, the same on every machine." },
    { "limn --sample --temperature 0.8 --top-p 0.9 --n-best 5 --seed 1 photo.jpg",
      "Five captions drawn at random." },
    { "limn --beam 6 --groups 3 --diversity 0.5 --n-best 6 photo.jpg",
      "Six captions in three groups that differ." },
    { "limn --must 'dog|puppy' --must frisbee --start-with 'two people' photo.jpg",
      "The best caption with these words." },
    { "limn --rerank consensus photo.jpg", "The caption that most others agree with." },
};

const limn_cli_tool caption_cli_tool = {
    .name = "limn",
    .summary = "captions for images",
    .operands = "PATH...",
    .description =
        "Writes a caption for each image. A PATH is an image, a folder or archive of images, "
        "or - for a list of them on standard input. A folder's entries come in byte-wise order of "
        "their names, and captions in the order of the images, whatever the number of threads. "
        "The same image, model and options give the same bytes everywhere.\n\n"
        "In folders, hidden files are left out, and files that are no images: those whose name "
        "does not end like an image's and whose first bytes are no image's either. A file "
        "named on the command line or in a list, or with an image's extension, is an error when "
        "it is no image. Symbolic links are followed. What is named twice is captioned twice.\n\n"
        "An archive (.tar, .tar.gz, .tgz, .zip) is read like a folder, without unpacking it; its "
        "images are named ARCHIVE/MEMBER and come in its order. Archives inside folders are "
        "read with -r. Links and archives inside archives are errors, as are names that lead out "
        "of them.\n\n"
        "An image that fails is named on standard error, and the others get their captions. "
        "Nothing is captioned from a half-decoded image.\n\n"
        "SIGINT and SIGTERM let the images in work be finished; a second one ends limn at once, "
        "though not within a line. With -o or --sidecar the same command then goes on, as after a "
        "kill or a power cut: the journal says what is done, and the files become those of an "
        "uninterrupted run. What failed is done too, as far as the journal goes; without one, "
        "lines and sidecars that are there count as done, a torn last line does not. Of two runs "
        "at once over the same output the second is refused.",
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
                               .out.format = LIMN_FORMAT_BY_NAME };
}

static bool check_options(const caption_settings *s)
{
    const limn_options *o = &s->captioning.options;
    if (o->n_alternatives > 0 && s->out.format != LIMN_FORMAT_JSONL)
        limn_message_error("--alternatives: only --format jsonl has a place for them");
    else if (o->n_tags > 0 && s->out.format != LIMN_FORMAT_JSONL)
        limn_message_error("--tags: only --format jsonl has a place for them");
    else if (s->captioning.has_confidence && s->out.format != LIMN_FORMAT_JSONL &&
             s->out.format != LIMN_FORMAT_CSV && s->out.format != LIMN_FORMAT_TSV)
        limn_message_error("--confidence: only --format jsonl, csv and tsv have a place for it");
    else if (s->captioning.has_signals && s->out.format != LIMN_FORMAT_JSONL)
        limn_message_error("--signals: only --format jsonl has a place for them");
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
