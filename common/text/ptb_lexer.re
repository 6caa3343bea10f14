/* The rules of the PTB tokenizer: longest match, then first rule. See ptb_lexer.h for the alphabet.
 *
 * 'text' matches in either case, "text" and [classes] exactly, as in the original. */
#include "common/text/ptb_lexer.h"

#include <stddef.h>

/*!re2c
re2c:define:YYCTYPE = "unsigned char";
re2c:define:YYCURSOR = at;
re2c:define:YYMARKER = marker;
re2c:yyfill:enable = 0;
re2c:tags = 1;

end        = [\x00];
any        = [^\x00];
letter     = [A-Za-z\x80\x98];
soft       = [\x82];
digit      = [0-9\x83];
alnum      = letter | digit;
capital    = [A-Z\x98\x99\x9a];
latin      = [A-Za-z0-9];
nbsp       = [\x91];
space      = [ \t\x91\x92];
space_nl   = space | "\n";
letterlike = letter | [\x81\x82] | "&" [aeiouAEIOU] ('acute' | 'grave' | 'uml') ";";

apos       = ['\x85] | '&apos;';
apos_etc   = apos | [`\x86];
hyphen     = [-_\x89];

sgml_name  = [A-Za-z][A-Za-z0-9_:.\-]*;
sgml_value = "'" [^'\x00\n]* "'" | "\"" [^"\x00\n]* "\"";
sgml       = "<" ( [!?] [A-Za-z\-] [^>\x00\n]*
                 | sgml_name ( " "+ (sgml_name | sgml_name " "* "=" " "* sgml_value) )* " "* "/"?
                 | "/" sgml_name ) " "* ">";

dash       = "&" ('MD' | 'mdash' | 'ndash') ";" | [\x88];
amp        = '&amp;';
entity     = "&" ('HT' | 'TL' | 'UR' | 'LR' | 'QC' | 'QL' | 'QR' | 'odq' | 'cdq' | "#" [0-9]+) ";";

date       = digit{1,2} [\-/] digit{1,2} [\-/] digit{2,4};
num        = digit+ | digit* ([.:,\x82\x84] digit+)+;
number     = [\-+]? num;
raised     = [\x8b]? ([\x8c]+ | [\x8d]+);
frac       = (digit{1,4} ([\- ] | nbsp))? digit{1,4} ("\\"? "/" | [\x8e]) digit{1,4};
phone      = ( "(" [0-9]{2,3} ")" (" " | nbsp)?
             | ("+" "+"?)? ([0-9]{2,4} ([\- ] | nbsp))? [0-9]{2,4} ([\- ] | nbsp) )
             [0-9]{3,4} ([\- ] | nbsp)? [0-9]{3,5}
           | (("+" "+"?)? [0-9]{2,4} ".")? [0-9]{2,4} "." [0-9]{3,4} "." [0-9]{3,5};

word       = letterlike (letterlike | digit)* ([.!?] letterlike (letterlike | digit)*)*;
/* What can stand before n't: ASCII, not ending in n. */
not_word   = [A-Za-z\x82]* [A-MO-Za-mo-z] soft*;
not_clitic = 'n' apos_etc 't';
clitic     = apos ([msdMSD] | 're' | 've' | 'll');
d_prefix   = [dDoOlL] apos_etc alnum;
acro2      = [A-Za-z] ("." [A-Za-z])+
           | ('Canada' | 'Sino' | 'Korean' | 'EU' | 'Japan' | 'non') "-" 'U.S'
           | 'U.S.-' ('U.K' | 'U.S.S.R');
thing      = d_prefix? alnum+ (hyphen d_prefix? alnum+)*;
plus_thing = [A-Z]+ (("+" | "&" | amp) [A-Z]+)+;
slash_part = latin+ ("-" [A-Za-z]+){0,2};
slashed    = slash_part ("\\"? "/" slash_part){1,2};
hyphenated = latin [A-Za-z0-9.,\x82]* ("-" ([A-Za-z0-9\x82]+ | acro2 "."))+;

apo_word   = apos 'n' apos?
           | [lLdDjJ] apos
           | ('dunkin' | 'somethin' | 'ol') apos
           | apos 'em'
           | [A-HJ-XZn] apos_etc letter{2,}
           | apos [2-9] '0s'
           | apos 'til' 'l'?
           | letter+ [aeiouyAEIOUY] apos_etc [aeiouA-Z] letter*
           | apos 'cause'
           | 'cont\'d' "."?
           | 'nor\'easter' | 'c\'mon' | 'e\'er' | 's\'mores' | 'ev\'ry' | 'li\'l' | 'nat\'l'
           | 'o' apos_etc 'o';
year       = apos [0-9][0-9];

url_end    = [^ \t\n\f\r"<>|.!?(){},\-\x00];
full_url   = 'http' 's'? "://" [^ \t\n\f\r"<>|(){}\x00]+ url_end;
/* The range from comma to underscore is as in the original: no digits, no capitals. */
likely_url = ( 'www.' ([^ \t\n\f\r"<>|.!?(){},\x00]+ ".")+ [a-zA-Z]{2,4}
             | ([^ \t\n\f\r"`'<>|.!?(){},-_$\x00]+ ".")+ ('com' | 'net' | 'org' | 'edu') )
             ("/" [^ \t\n\f\r"<>|()\x00]+ url_end)?;
email      = ('&lt;' | "<")? latin [^ \t\n\f\r"<>|(){}\x91\x00]* "@"
             ([^ \t\n\f\r"<>|(){}.\x91\x00]+ ".")* [^ \t\n\f\r"<>|(){}.\x91\x00]+ ('&gt;' | ">")?;
at_name    = "@" [a-zA-Z_][a-zA-Z_0-9]*;
hash_tag   = "#" letterlike+;

file_type  = 'bat' | 'bmp' | 'c' | 'class' | 'cgi' | 'cpp' | 'dll' | 'doc' | 'docx' | 'exe' | 'gif'
           | 'gz' | 'h' | 'htm' | 'html' | 'jar' | 'java' | 'jpeg' | 'jpg' | 'mov' | 'mp3' | 'pdf'
           | 'php' | 'pl' | 'png' | 'ppt' | 'ps' | 'py' | 'sql' | 'tar' | 'txt' | 'wav' | 'x'
           | 'xml' | 'zip';
file_char  = letterlike | digit;
file_name  = file_char+ ("." file_char+)* "." file_type;

month      = 'Jan' | 'Feb' | 'Mar' | 'Apr' | 'Jun' | 'Jul' | 'Aug' | 'Sep' | 'Sept' | 'Oct' | 'Nov'
           | 'Dec';
day        = 'Mon' | 'Tue' | 'Tues' | 'Wed' | 'Thu' | 'Thurs' | 'Fri';
/* States that are words too need their capital. */
state      = 'Ala' | 'Ariz' | "A" 'z' | "A" 'rk' | 'Calif' | 'Colo' | 'Conn' | 'Ct' | 'Dak'
           | "D" 'el' | 'Fla' | 'Ga' | "I" 'll' | 'Ind' | 'Kan' 's'? | 'Ky' | "L" 'a' | "M" 'ass'
           | 'Md' | 'Mich' | 'Minn' | "M" 'iss' | 'Mo' | 'Mont' | 'Neb' | 'Nev' | 'Okla' | "O" 're'
           | "P" 'a' | 'Penn' | 'Tenn' | "T" 'ex' | 'Va' | 'Vt' | "W" 'ash' | 'Wis' 'c'? | 'Wyo';
company    = 'Inc' | 'Co' 's'? | 'Corp' | 'P' 'p'? 't' [ye] 's'? | 'Ltd' | 'Plc' | 'Rt' | 'Bancorp'
           | 'Bhd' | 'Assn' | 'Univ' | 'Intl' | 'Sys';
company2   = 'Invt' | 'Elec' | 'Natl' | 'M' [ft] 'g' | 'Dept';
after_name = 'Jr' | 'Sr' | 'Bros' | ('Ed' | 'Ph') '.D' | 'Blvd' | 'Rd' | 'Esq';
title      = 'Mr' | 'Mrs' | 'Ms' | "M" 'iss' | 'Dr' 's'? | 'Prof' 's'? | 'Sen' 's'? | 'Rep' 's'?
           | 'Atty' 's'? | 'Lt' | 'Col' | 'Gen' | 'Messrs' | 'Gov' 's'? | 'Adm' | 'Rev' | 'Maj'
           | 'Sgt' | 'Cpl' | 'Pvt' | 'Capt' | 'St' 'e'? | 'Ave' | 'Pres' | 'Lieut' | 'Hon' | 'Brig'
           | 'C' 'o'? 'mdr' | 'Pfc' | 'Spc' | 'Supt' 's'? | 'Det' | 'Mt' | 'Ft' | 'Adj' | 'Adv'
           | 'Asst' | 'Assoc' | 'Ens' | 'Insp' | 'Mlle' | 'Mme' | 'Msgr' | 'Sfc';
/* Mostly followed by lower case: before a capital the sentence ends too. */
abbrev_low = (month | day | state | company | 'tel' | 'est' | 'ext' | 'sq' | after_name | 'etc'
           | 'al' | 'seq' | 'Bldg') ".";
/* Mostly followed by a name: never the end of a sentence. */
abbrev_up  = title | 'vs' | 'Alex' | 'Wm' | 'Jos' | 'Cie' | 'a.k.a' | 'cf' | 'TREAS' | 'Ph'
           | acro2 | company2;
abbrev_num = ('ca' | 'fig' 's'? | 'prop' | 'no' 's'? | 'art' | 'bldg' | 'pp' | 'op') ".";
/* Words that begin a sentence, so that the stop of an acronym before them ends one; with their
 * capital. */
opener     = "A" 'bout' | "A" 'ccording' | "A" 'dditionally' | "A" 'fter' | "A" 'n' | "A" | "A" 's'
           | "A" 't' | "B" 'ut' | "E" 'arlier' | "H" 'e' | "H" 'er' | "H" 'ere' | "H" 'owever'
           | "I" 'f' | "I" 'n' | "I" 't' | "L" 'ast' | "M" 'any' | "M" 'ore' | "M" 'r.' | "M" 's.'
           | "N" 'ow' | "O" 'nce' | "O" 'ne' | "O" 'ther' | "O" 'ur' | "S" 'he' | "S" 'ince'
           | "S" 'o' | "S" 'ome' | "S" 'uch' | "T" 'hat' | "T" 'he' | "T" 'heir' | "T" 'hen'
           | "T" 'here' | "T" 'hese' | "T" 'hey' | "T" 'his' | "W" 'e' | "W" 'hen' | "W" 'hile'
           | "W" 'hat' | "Y" 'et' | "Y" 'ou';
before_sentence = space_nl+ (opener | sgml) space_nl;
special    = "-" ('RRB' | 'LRB' | 'RCB' | 'LCB' | 'RSB' | 'LSB') "-"
           | 'C.D.s' | 'pro-' | 'anti-'
           | 'S' ("&" | amp) ('P-500' | 'Ls')
           | 'Cap' apos 'n' | 'c' apos 'est';

pause      = [,;:\x94];
quotes     = apos | "''" | [`\x85\x86\x87]{1,2};
dbl_quote  = "\"" | '&quot;';
dots       = "."{3,5} | ("." (" " | nbsp)){2,4} "." | [\x8a];
smiley     = [<>]? [:;=] [\-o*']? [()DPdpO\\{@|[\]];
asian_face = [x^=~<>] '.[^x=~<>]'
           | [\-x^=~<>'] "_" [\-x^=~<>']
           | "(" [\-x^=~<>'] [_.]? [\-x^=~<>'] ")"
           | "(" [x^=~<>'] "-" [x^=~<>'`] ")";
*/

/* A token of all that was matched, of all but its last n characters, or up to the tag e, behind
 * which is context. *reach is the end of the match with its context: the longest match wins. */
#define TOKEN(kind) return (*end = *next = *reach = at, PTB_KIND_##kind)
#define TOKEN_LESS(n, kind) return (*end = *next = at - (n), *reach = at, PTB_KIND_##kind)
#define TOKEN_BEFORE(tag, kind) return (*end = *next = tag, *reach = at, PTB_KIND_##kind)
/* An abbreviation whose full stop also ends the sentence: a token of its own, next. */
#define TOKEN_AND_STOP(tag) return (*end = tag, *next = tag - 1, *reach = at, PTB_KIND_PLAIN)
/* The same for a single letter, which then is no abbreviation. */
#define TOKEN_BEFORE_STOP(tag) return (*end = *next = tag - 1, *reach = at, PTB_KIND_PLAIN)

typedef limn_ptb_kind scanner(const unsigned char **end, const unsigned char **next,
                              const unsigned char **reach, const unsigned char *at);

/* The rules are in the original's order, among scanners too. Addresses and compounds have their
 * own: nearly any text can begin one, which in one automaton would multiply the states of all
 * other rules. */
static limn_ptb_kind next_word(const unsigned char **end, const unsigned char **next,
                               const unsigned char **reach, const unsigned char *at)
{
    const unsigned char *marker, *e;
    /*!stags:re2c format = "    const unsigned char *@@ = NULL; (void)@@;\n"; */

    /*!re2c
    'c' "++" | [cCfF] "#"                  { TOKEN(PLAIN); }
    'cannot' | '\'twas'                    { TOKEN_LESS(3, PLAIN); }
    '\'tis' | 'gonna' | 'gotta' | 'lemme' | 'gimme' | 'wanna' { TOKEN_LESS(2, PLAIN); }
    sgml                                   { TOKEN(TAG); }
    dash                                   { TOKEN(DASH); }
    amp                                    { TOKEN(AMPERSAND); }
    entity                                 { TOKEN(PLAIN); }
    word @e clitic                         { TOKEN_BEFORE(e, WORD); }
    not_word @e not_clitic                 { TOKEN_BEFORE(e, WORD); }
    word                                   { TOKEN(WORD); }
    apo_word                               { TOKEN(PLAIN); }
    'y' apos @e letter                     { TOKEN_BEFORE(e, PLAIN); }
    *                                      { return PTB_KIND_END; }
    */
}

static limn_ptb_kind next_address(const unsigned char **end, const unsigned char **next,
                                  const unsigned char **reach, const unsigned char *at)
{
    const unsigned char *marker;
    /*!re2c
    full_url | likely_url | email          { TOKEN(PLAIN); }
    *                                      { return PTB_KIND_END; }
    */
}

static limn_ptb_kind next_compound(const unsigned char **end, const unsigned char **next,
                                   const unsigned char **reach, const unsigned char *at)
{
    const unsigned char *marker, *e;
    /*!stags:re2c format = "    const unsigned char *@@ = NULL; (void)@@;\n"; */

    /*!re2c
    file_name @e (space_nl | [.?!,])       { TOKEN_BEFORE(e, PLAIN); }
    slashed | [A-Z]* "$"                   { TOKEN(PLAIN); }
    phone                                  { TOKEN(SPACED); }
    plus_thing "." @e pause                { TOKEN_BEFORE(e, AMPERSAND); }
    plus_thing                             { TOKEN(AMPERSAND); }
    *                                      { return PTB_KIND_END; }
    */
}

static limn_ptb_kind next_token(const unsigned char **end, const unsigned char **next,
                                const unsigned char **reach, const unsigned char *at)
{
    const unsigned char *marker, *e;
    /*!stags:re2c format = "    const unsigned char *@@ = NULL; (void)@@;\n"; */

    /*!re2c
    at_name | hash_tag                     { TOKEN(PLAIN); }
    (clitic | not_clitic) @e [^A-Za-z\x00] { TOKEN_BEFORE(e, RIGHT_QUOTE); }
    date                                   { TOKEN(PLAIN); }
    number                                 { TOKEN(WORD); }
    raised                                 { TOKEN(PLAIN); }
    frac                                   { TOKEN(SPACED); }
    [\x8f]                                 { TOKEN(FRACTION); }
    special                                { TOKEN(AMPERSAND); }
    [$#]                                   { TOKEN(PLAIN); }
    [\x90]                                 { TOKEN(CURRENCY); }
    abbrev_num @e space_nl? digit          { TOKEN_BEFORE(e, PLAIN); }
    ('pt' [eyEY] | 'co') "." @e space ('ltd' | 'lim')  { TOKEN_BEFORE(e, PLAIN); }
    abbrev_low @e space_nl (space_nl | capital | sgml) { TOKEN_AND_STOP(e); }
    abbrev_low @e any any                  { TOKEN_BEFORE(e, PLAIN); }
    abbrev_low @e                          { TOKEN_AND_STOP(e); }
    [A-Za-z] "." @e before_sentence        { TOKEN_BEFORE_STOP(e); }
    acro2 "." @e before_sentence           { TOKEN_AND_STOP(e); }
    ([A-Za-z] | abbrev_up) "."             { TOKEN(PLAIN); }
    abbrev_up @e space_nl                  { TOKEN_BEFORE(e, PLAIN); }
    year @e space_nl                       { TOKEN_BEFORE(e, PLAIN); }
    word "." @e pause                      { TOKEN_BEFORE(e, WORD); }
    dbl_quote @e [A-Za-z0-9$]              { TOKEN_BEFORE(e, LEFT_QUOTE); }
    dbl_quote                              { TOKEN(RIGHT_QUOTE); }
    "<" | '&lt;'                           { TOKEN(LESS); }
    ">" | '&gt;'                           { TOKEN(GREATER); }
    smiley @e [^A-Za-z0-9\x00]             { TOKEN_BEFORE(e, SPACED); }
    asian_face                             { TOKEN(SPACED); }
    "{"                                    { TOKEN(OPEN_BRACE); }
    "}"                                    { TOKEN(CLOSE_BRACE); }
    "["                                    { TOKEN(OPEN_SQUARE); }
    "]"                                    { TOKEN(CLOSE_SQUARE); }
    [()]                                   { TOKEN(SPACED); }
    "-"{3,4}                               { TOKEN(DASH); }
    "-"+                                   { TOKEN(PLAIN); }
    dots                                   { TOKEN(ELLIPSIS); }
    "@"+ | "#"+ | "_"+ | "*"+ | "="        { TOKEN(PLAIN); }
    ("\\*"){1,3} | pause | [?!]+ | [.\x95] | "/" { TOKEN(PLAIN); }
    hyphenated "." @e pause                { TOKEN_BEFORE(e, WORD); }
    hyphenated                             { TOKEN(WORD); }
    thing "." @e pause                     { TOKEN_BEFORE(e, PLAIN); }
    thing                                  { TOKEN(PLAIN); }
    "'" @e [A-Za-z] [^ \t\n\r\x91\x00]     { TOKEN_BEFORE(e, LEFT_QUOTE); }
    clitic | not_clitic                    { TOKEN(RIGHT_QUOTE); }
    quotes                                 { TOKEN(RIGHT_QUOTE); }
    "<<" | ">>"                            { TOKEN(PLAIN); }
    [+%&~^|\\\x8b\x8c\x8e\x96\x99]         { TOKEN(PLAIN); }
    '&nbsp;' | space_nl+ | any             { TOKEN(NONE); }
    end                                    { return PTB_KIND_END; }
    */
}

limn_ptb_kind limn_ptb_next(const unsigned char **start, const unsigned char **end,
                            const unsigned char **cursor)
{
    static scanner *const scanners[] = { next_word, next_address, next_token, next_compound };
    const unsigned char *next, *reach;
    limn_ptb_kind kind;
    do {
        *start = *cursor;
        reach = *start;
        kind = PTB_KIND_END;
        for (size_t i = 0; i < sizeof scanners / sizeof *scanners; i++) {
            const unsigned char *its_end, *its_next, *its_reach;
            const limn_ptb_kind its_kind = scanners[i](&its_end, &its_next, &its_reach, *start);
            if (its_kind == PTB_KIND_END || its_reach <= reach) continue;
            kind = its_kind;
            *end = its_end;
            next = its_next;
            reach = its_reach;
        }
        if (kind != PTB_KIND_END) *cursor = next;
    } while (kind == PTB_KIND_NONE);
    return kind;
}
