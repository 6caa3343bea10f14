/* At build: embed NAME FILE writes a file as a C array, so that the program needs no file. */
#include <stdio.h>

int main(int argc, char **argv)
{
    FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;
    int c;
    if (!file) {
        fprintf(stderr, "embed: can't read %s\n", argc == 3 ? argv[2] : "without NAME and FILE");
        return 1;
    }
    printf("extern const char %s[];\nconst char %s[] = {", argv[1], argv[1]);
    for (size_t n = 0; (c = fgetc(file)) != EOF; n++) printf("%s%d,", n % 24 ? "" : "\n", c);
    printf("0};\n");
    return fclose(file) != 0 || fflush(stdout) != 0;
}
