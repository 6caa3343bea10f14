/* Between ptb_tokenizer.c and the generated lexer: the alphabet, and the kinds of tokens.
 *
 * The lexer reads one byte a character: ASCII is itself (line ends are spaces), other characters
 * map to one of the classes below, which are all that the rules distinguish. Characters beyond the
 * basic plane take two bytes, as in the original's UTF-16. */
#ifndef LIMN_COMMON_TEXT_PTB_LEXER_H
#define LIMN_COMMON_TEXT_PTB_LEXER_H

#include <stdint.h>

enum limn_ptb_class {
    PTB_END = 0x00,    /* after the caption; never inside */
    PTB_LETTER = 0x80, /* letters of the basic plane */
    PTB_MARK,          /* goes into words as letters do, but not into hyphenated things */
    PTB_SOFT_HYPHEN,
    PTB_DIGIT,
    PTB_NUMBER_SEPARATOR, /* Arabic decimal and thousands separators */
    PTB_APOSTROPHE,       /* right single quotes */
    PTB_OPEN_APOSTROPHE,  /* left single quotes, which stand for apostrophes inside words */
    PTB_QUOTE,            /* the other quotes */
    PTB_DASH,
    PTB_HYPHEN,
    PTB_ELLIPSIS,
    PTB_SUPER_SIGN, /* plus and minus above or below the line */
    PTB_SUPER_DIGIT,
    PTB_SUB_DIGIT,
    PTB_FRACTION_SLASH,
    PTB_FRACTION, /* one half and the like */
    PTB_CURRENCY,
    PTB_NO_BREAK_SPACE,
    PTB_SPACE,
    PTB_IGNORED, /* zero-width space etc.: separates tokens, is not one itself */
    PTB_COMMA,
    PTB_STOP,
    PTB_SYMBOL,
    PTB_OTHER,          /* dropped, unless in an address */
    PTB_CAPITAL,        /* a letter; an abbreviation before one ends a sentence */
    PTB_CAPITAL_SYMBOL, /* circled capitals, which are symbols too */
    PTB_CAPITAL_OTHER,  /* Roman numerals, dropped */
};

/* The byte that the lexer sees for a code point. */
unsigned char limn_ptb_class_of(uint32_t code_point);

/* How the text of a token comes from its characters. */
typedef enum limn_ptb_kind {
    PTB_KIND_END = 0,     /* no token left */
    PTB_KIND_NONE,        /* white space and what has no place in a token */
    PTB_KIND_PLAIN,       /* as it is */
    PTB_KIND_WORD,        /* without soft hyphens */
    PTB_KIND_TAG,         /* spaces become no-break spaces */
    PTB_KIND_SPACED,      /* that, and ( ) become -LRB- -RRB- */
    PTB_KIND_AMPERSAND,   /* &amp; becomes & */
    PTB_KIND_LEFT_QUOTE,  /* straight quotes open */
    PTB_KIND_RIGHT_QUOTE, /* straight quotes close; soft hyphens are left out */
    PTB_KIND_DASH,        /* -- */
    PTB_KIND_ELLIPSIS,    /* ... */
    PTB_KIND_FRACTION,    /* 1/2 for one character */
    PTB_KIND_CURRENCY,    /* cents, #, $ */
    PTB_KIND_LESS,        /* < also for &lt; */
    PTB_KIND_GREATER,
    PTB_KIND_OPEN_BRACE,   /* -LCB- */
    PTB_KIND_CLOSE_BRACE,  /* -RCB- */
    PTB_KIND_OPEN_SQUARE,  /* -LSB- */
    PTB_KIND_CLOSE_SQUARE, /* -RSB- */
} limn_ptb_kind;

/* The token at *cursor, which moves past it: characters *start … *end. They overlap the next token
 * where a full stop is both an abbreviation's and the sentence's. */
limn_ptb_kind limn_ptb_next(const unsigned char **start, const unsigned char **end,
                            const unsigned char **cursor);

#endif
