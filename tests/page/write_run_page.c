/* write_run_page HTML LOG: writes the page of a run that has stopped, for check_run_page.py. */
#include <stdio.h>

#include "tools/train/run_page.h"

int main(int argc, char **argv)
{
    limn_error err = { 0 };
    if (argc != 3) {
        fprintf(stderr, "usage: write_run_page HTML LOG\n");
        return 1;
    }
    if (limn_run_page_write(argv[1], argv[2], &err) != LIMN_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    return 0;
}
