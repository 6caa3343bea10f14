#include "tools/writers/writer.h"

const limn_writer *const limn_writers[] = { &limn_writer_text, &limn_writer_jsonl };
const char *const limn_writer_names[] = { "text", "jsonl", NULL };
