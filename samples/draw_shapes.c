/* draw_shapes FOLDER N [SEED]: makes a training set in a moment. Draws N images of a coloured shape
 * on a coloured background (NNNN.ppm, 96 x 96) into an existing folder, and writes captions.tsv,
 * two captions for each image. The same arguments give the same bytes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 96 };

typedef struct colour {
    const char *name;
    unsigned char rgb[3];
} colour;

static const colour colours[] = {
    { "red", { 210, 36, 40 } },     { "green", { 50, 160, 60 } },   { "black", { 26, 26, 30 } },
    { "yellow", { 240, 210, 50 } }, { "white", { 240, 240, 240 } },
};
static const char *const shapes[] = { "circle", "square", "triangle", "cross" };
enum { N_COLOURS = sizeof colours / sizeof *colours, N_SHAPES = sizeof shapes / sizeof *shapes };

typedef struct image {
    int shape, ink, ground;
    int x, y, radius; /* centre and size of the shape, in pixels */
} image;

/* xorshift64*: the next number below n. */
static int draw_below(uint64_t *state, int n)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (int)((*state * UINT64_C(2685821657736338717) >> 33) % (uint64_t)n);
}

static image make_image(uint64_t *state)
{
    image p = { .shape = draw_below(state, N_SHAPES), .ink = draw_below(state, N_COLOURS) };
    p.ground = (p.ink + 1 + draw_below(state, N_COLOURS - 1)) % N_COLOURS;
    p.radius = 20 + draw_below(state, 20);
    p.x = p.radius + draw_below(state, SIDE - 2 * p.radius);
    p.y = p.radius + draw_below(state, SIDE - 2 * p.radius);
    return p;
}

/* Whether the shape covers the pixel at dx, dy from its centre. */
static int is_inside(const image *p, int dx, int dy)
{
    const int r = p->radius;
    if (abs(dx) > r || abs(dy) > r) return 0;
    switch (p->shape) {
    case 0: return dx * dx + dy * dy <= r * r;
    case 1: return 1;
    case 2: return 2 * abs(dx) <= dy + r;
    default: return 5 * abs(dx) <= 2 * r || 5 * abs(dy) <= 2 * r;
    }
}

static int write_image(FILE *file, const image *p, uint64_t *state)
{
    fprintf(file, "P6\n%d %d\n255\n", SIDE, SIDE);
    for (int i = 0; i < SIDE * SIDE; i++) {
        const int inside = is_inside(p, i % SIDE - p->x, i / SIDE - p->y);
        const unsigned char *rgb = colours[inside ? p->ink : p->ground].rgb;
        const int grain = draw_below(state, 13);
        for (int c = 0; c < 3; c++) fputc(rgb[c] + grain, file);
    }
    return fclose(file);
}

static void write_captions(FILE *file, int number, const image *p)
{
    const char *shape = shapes[p->shape], *ink = colours[p->ink].name;
    const char *ground = colours[p->ground].name;
    fprintf(file, "%04d.ppm#0\tA %s %s on a %s background.\n", number, ink, shape, ground);
    fprintf(file, "%04d.ppm#1\tA %s in %s on %s ground.\n", number, shape, ink, ground);
}

static FILE *create(const char *folder, const char *name)
{
    char path[4096];
    FILE *file = NULL;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path)
        file = fopen(path, "wb");
    if (!file) perror(path);
    return file;
}

static int draw_all(const char *folder, int n, uint64_t state)
{
    FILE *captions = create(folder, "captions.tsv");
    int code = captions ? 0 : 1;
    for (int i = 0; i < n && code == 0; i++) {
        const image p = make_image(&state);
        char name[16];
        snprintf(name, sizeof name, "%04d.ppm", i);
        FILE *file = create(folder, name);
        code = !file || write_image(file, &p, &state);
        write_captions(captions, i, &p);
    }
    return captions && fclose(captions) ? 1 : code;
}

int main(int argc, char **argv)
{
    const int n = argc >= 3 ? atoi(argv[2]) : 0;
    if (argc < 3 || n < 1 || n > 9999) {
        fprintf(stderr, "usage: draw_shapes FOLDER N [SEED], N in 1 ... 9999\n");
        return 1;
    }
    return draw_all(argv[1], n, argc > 3 ? strtoull(argv[3], NULL, 10) * 2 + 1 : 1);
}
