"""Lines that are hard to tokenize: things found in real captions, and things found only in a lexer's rules.

The same seed gives the same lines. Line ends inside a line are left out: in the original they end the caption (see
ptb_tokenizer.h)."""

import random

APOSTROPHES = ["'", "'", "\u2019", "\u2018", "`", "\u201b", "\x92", "\x91", "&apos;", "\u02bc", "\u2032", "\u00b4"]
QUOTES = ['"', "''", "``", "'", "\u201c", "\u201d", "\u201e", "\u201f", "\u201a", "\u00ab", "\u00bb", "\u2039", "\u203a",
          "\x93", "\x94", "&quot;", "\u2018", "\u2019", "\u2033", "\u300c", "\u300d", "\u275d"]
DASHES = ["-", "--", "---", "----", "-----", "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2015", "\u2212", "\x96", "\x97",
          "&mdash;", "&ndash;", "&MD;", "_", "__", "~", "\u00ad", "\u058a", "\u2043", "\u30fb"]
STOPS = [".", ",", ";", ":", "!", "?", "...", "....", "..", ". . .", ". . . .", "\u2026", "!!", "?!", "!?!", "\u3002", "\u3001",
         "\u00bf", "\u00a1", "\u061f", "\u060c", "\u061b", "\u06d4", "\u037e", "\u0387", "\u0964", "\u055e", "\uff0c", "/", "\\"]
BRACKETS = list("()[]{}<>") + ["<<", ">>", "&lt;", "&gt;", "\u300a", "\u300b", "\uff08", "\uff09", "\u27e8", "((", "))", "[]", "<>"]
SYMBOLS = list("+%&~^|\\*#@=$_") + ["**", "##", "@@", "==", "===", "\\*", "\\*\\*", "\u00a6", "\u00a7", "\u00a8", "\u00a9", "\u00ac", "\u00ae",
          "\u00b0", "\u00b1", "\u00b2", "\u00b3", "\u00b5", "\u00b6", "\u00b7", "\u00b9", "\u00ba", "\u00aa", "\u00d7", "\u00f7", "\u2022", "\u2122",
          "\u2192", "\u2200", "\u2605", "\u2620", "\u2665", "\u2713", "\u3012", "\uff01", "\uff05", "\u2044", "\u207a", "\u208b", "\u207f",
          "\u2160", "\u24b6", "\u2116", "\u20ac", "\u00a3", "\u00a2", "\u00a5", "\u00a4", "\u20a0", "\u20a4", "\u20b9", "\u0e3f", "\uffe5", "\x80"]
SPACES = [" "] * 40 + [""] * 9 + ["\u00a0", "\u00a0", "  ", "\t", "\u2003", "\u2009", "\u3000", "\u200b", "\u202f", "\u200d", "\ufeff", "&nbsp;"]
EMOJI = ["\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u2764\ufe0f", "\U0001f1eb\U0001f1f7", "\U0001f44d\U0001f3fd", "\u263a",
         "\u26bd", "1\ufe0f\u20e3", "\U0001d49c", "\U00010400", "\U00020000", "\u231a", "\u3030"]
SMILEYS = [":)", ":-)", ";-(", ":D", ":-P", "=)", "<:o)", ":*(", ":-\\", ":@", ":|", ":]", ":'(", "8)", "^_^", "-_-", "(^_^)", "(^.^)", "(-_-)",
           "(^-^)", "x.[^x=~<>]", "=_=", "'_'", "(~~)", "o_O", ">_<", "(x-x)", "(='", ":p", ":op", ":d)"]
WORDS = """a A the The an An dog dogs man men woman's women boy girl's child children sits runs playing with and And on in of under
grass red T-shirt t-shirts x-ray e-mail co-op mother-in-law state-of-the-art rock'n'roll ma'am o'clock O'Brien O'Neill d'Artagnan D'Angelo
l'eau L'Oreal qu'il jalape\u00f1o caf\u00e9 na\u00efve fa\u00e7ade S\u00e3o stra\u00dfe Stra\u00dfe \u00c9COLE \u00fcber smorg\u00e5sbord \u0152uvre \u00e6on \u00c6on
I I'm I've he'll she'd they're it's It's IT'S don't DON'T can't Can't won't ain't isn't wouldn't've y'all Y'all dunno gonna Gotta lemme
gimme wanna cannot Cannot 'tis 'Tis 'twas 'Twas 'em 'Em 'cause 'Cause 'til 'till 'Till c'mon C'mon cont'd cont'd. nor'easter e'er s'mores
ev'ry li'l nat'l Cap'n c'est o'o somethin' dunkin' Dunkin' ol' Ol' y'know d'you j'ai 'n' 'n 'round '90s '60s '05 '99 90's 1990s mid-1990s
pro- anti- C.D.s SP-500 S&P-500 S&Ls S&amp;Ls Yahoo! E! Jeopardy! C++ c++ C# F# AT&T A&M B&amp;B R&B b&w A+B A+B+C and/or w/ w/o w/out
his/her he/she/they km/h 24/7 and\\/or a==b x=y a=b== i.e. e.g. i.e e.g a.m. P.M. U.S. U.S.A. U.K. N.Y. D.C. J.R.R. Ph.D. Ph.D Ed.D. M.D. b.c
-LRB- -RRB- -lcb- -RSB- non-U.S. Sino-U.S. U.S.-U.K. Canada-U.S. pre-U.S. anti-U.S. A.B.C.-run three-a.m. #1 No.1 no.5 No. vs v. V. a.k.a. cf
\u0130stanbul \u0131rmak \u017fhip \u212aelvin \ufb01sh \u01c6ep \u01c5ep \u1e9e \u01c8ub 20\u00b0C 5\u00b5m H\u2082O x\u00b2 m\u00b3 10\u207b\u00b2 \u2075 a\u0301 e\u0308t\u00e9
&eacute; caf&eacute; na&iuml;ve &amp; &amp;amp; &lt; &gt; &#39; &#8217; &nbsp; &copy; &hellip; &odq; &HT; &ampx; & &; &quot;hi&quot;""".split()
SCRIPTS = """\u039f\u0394\u039f\u03a3 \u03a3\u0391\u03a3 \u03a3 \u0391\u03a3. \u0391\u03a3\u0391 \u039c\u0391\u03a3\u2019 \u039b\u038c\u0393\u039f\u03a3-\u039b \u03a3\u0384 \u0391\u0301\u03a3 \u1f08\u03a3 \u0391\u03a3\u00ad \u0391\u03a3\u0301
\u041c\u043e\u0441\u043a\u0432\u0430 \u0421\u0421\u0421\u0420 \u0491\u0430\u0437 \u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u0645\u064e\u0631\u0652\u062d\u0628\u0627 \u0663\u066b\u0661\u0664 \u0661\u066c\u0662\u0663\u0664 \u05e9\u05dc\u05d5\u05dd \u05e6\u05d4\u05f4\u05dc \u05d2\u05f3
\u0939\u093f\u0928\u094d\u0926\u0940 \u0967\u0968\u0969 \u09ac\u09be\u0982\u09b2\u09be \u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22 \u0e51\u0e52 \u0e81\u0eb5\u0e9a\u0ea1\u0eb7\u0ead \u65e5\u672c\u8a9e \u4e00\u53ea\u72d7\u3002 \u7532\u300c\u4e59\u300d \u304b\u306a \u30ab\u30bf\u30ab\u30ca\u30fc
\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab \u10e5\u10d0\u10e0\u10d7 \u1c90\u1c91 \u0540\u0561\u0575\u0565\u0580\u0565\u0576 \u0540\u0561\u0575\u058a\u0561 \u13e3\u13b3\u13a9 \uab70 \u1200\u1208 \u1780\u17d2\u1798 \u0f56\u0f7c\u0f51\u0f0b \u1820 \ua000 \u2c80 \u2d30
\u07c1\u07c2 \u07de\u07eb \u0710\u0730 \u0d2e\u0d32 \u0b95\u0bcd \u0c95\u0ccd \u0c24\u0c46\u0c32 \u0a2a\u0a70 \u0b13\u0b21\u0b3c \u0dc3\u0dd2 \u1019\u103c \ufeed\ufe8e \uff21\uff22\uff43 \uff11\uff12 \ua771 \uff76\uff9e \u0529 \u1885""".split()
STEMS = ["dog", "Man", "don", "do", "have", "is", "could", "ca", "wo", "she", "they", "MAN", "n", "N", "d", "l", "y", "Y", "O", "o", "rock", "caf\u00e9", "\u0394",
         "1990", "90", "a", "I", "dogs", "b\u00ado", "x1", "ain", "haven", "wouldn", "i", "U.S.", "Mr.", "re", "qu", "cap", "ou", "e", "be"]
CLITICS = ["s", "S", "m", "d", "D", "re", "RE", "ve", "ll", "Ll", "t", "T", "n", "em", "til", "tis", "twas", "cause", "o", "est", "all", "clock", "know",
           "n't", "nt", "s.", "90s", "05", "sx", "re-", "\u03b1", "A", "e", "Ont", "ne"]
ABBREVIATIONS = """Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec May Mon Tue Tues Wed Thu Thurs Fri Sat Ala Ariz Az Ark Calif Colo Conn Ct Dak Del Fla Ga
Ill Ind Kan Kans Ky La Mass Md Mich Minn Miss Mo Mont Neb Nev Okla Ore Pa Penn Tenn Tex Va Vt Wash Wis Wisc Wyo Inc Co Cos Corp Pt Pty Pte Pptys Ltd Plc Rt
Bancorp Bhd Assn Univ Intl Sys Invt Elec Natl Mtg Mfg Dept tel est ext sq Jr Sr Bros Ed.D Ph.D Blvd Rd Esq Mr Mrs Ms Dr Drs Prof Sen Rep Reps Atty Lt Col Gen
Messrs Gov Govs Adm Rev Maj Sgt Cpl Pvt Capt St Ste Ave Pres Lieut Hon Brig Comdr Cmdr Pfc Spc Supt Det Mt Ft Adj Adv Asst Assoc Ens Insp Mlle Mme Msgr Sfc etc
al seq Bldg vs v Alex Wm Jos Cie a.k.a cf TREAS Ph ca fig figs prop no nos art bldg pp op approx max i.e e.g U.S U.K A b Z x.y non-U.S EU-U.S U.S.-U.S.S.R""".split()
OPENERS = """About According Additionally After An A As At But Earlier He Her Here However If In It Last Many More Mr. Ms. Now Once One Other Our She Since So
Some Such That The Their Then There These They This We When While What Yet You ABOUT THE the Thesis <b> <p/> </i> <!doctype> Dogs 5 \u00c9t\u00e9 \u03a3 < <3 "The 'The (The ltd
limited Limited \u2160 \u24b6 \u13a0""".split()
HOSTS = ["www.a.com", "http://example.org/a_b-c?x=1&y=2", "https://t.co/Ab1", "HTTP://X.Y", "http://", "https://a.b.", "http://a.b/c(d)", "example.com",
         "Example.NET/x/y.", "a.b.edu", "foo-bar.org", "foo_bar.com", "news.bbc.co.uk", "WWW.FLICKR.COM/photos/1_2.jpg", "www.x", "com.com.com", "x.com,",
         "5.org", "A.com", "\u00e9t\u00e9.com", "a%b.net", "ftp://x.org", "\u65e5\u672c.com", "a'b.com", "http://x.y/\u65e5\U0001f600", "www.\u00e9.info", "http://a-.b-", "a.com/b\u201d",
         "me@x.org", "a.b+c@d-e.co.uk", "<me@x.org>", "&lt;me@x.org&gt;", "<a@b", "me@", "@me", "@_a1", "@1", "A@B@C.D", "x@y.z.", "a@b,c@d", "1@2", "a\u2019b@c", "a\U0001f600@b",
         "#tag", "#Tag1", "#1", "#\u00e9t\u00e9", "##x", "#a_b", "#\u65e5\u672c", "#&eacute;", "photo.jpg", "IMG_1234.JPG", "a.b.tar.gz", "x.c", "y.h.", "readme.txt,", "my-file.pdf", "a/b.html", "3.x", "f.py?",
         "\u00e9.png", "file.jpg.exe!", "file.jpgs"]
TAGS = ["<b>", "</b>", "<br/>", "<br />", "<a href=\"x y\">", "<a href='x y'>", "<a href=x>", "<a b=\"c\" d='e'>", "<img src>", "<!-- x -->", "<!DOCTYPE html>",
        "<?xml version=\"1.0\"?>", "< b>", "<b", "<b c", "<a b = \"c\" >", "<a b='c>", "<1>", "<a:b.c-d_e>", "</a >", "<a/b>", "<a  b  />", "<!x", "<!>", "<unk>", "<a href=\"\u00e9\u201d\">", "<\u00e9>", "<a b='\"'>"]
CAPITAL = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER = "abcdefghijklmnopqrstuvwxyz"
DIGIT = "0123456789"
MASH = (list("''''\"\"``..,,--//&&;;::!?()[]{}<>@#$%^*_=+~|\\  aAbBdDlLmMnNsStTxXyYoOeE0123456789") +
        ["\u2019", "\u2018", "\u201c", "\u201d", "\u2013", "\u2014", "\u2026", "\u00ad", "\u00a0", "\u00e9", "\u00c9", "\u03a3", "\u03c3", "\u0301", "\u00bd", "\u00b2", "\u2082", "\u2044", "\u20ac",
         "\u0661", "\u65e5", "\U0001f600", "&amp;", "&apos;", "&quot;", "'s", "n't", "s'", "o'", "...", "--", "re", ".com", "http://", "U.S.", "Mr.", "no.", "\u0130", "\u01c5", "\u07c1"])
LINE_ENDS = {0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029}


class Lines:
    """Makes lines; `line()` gives the next."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.kinds = [self.word] * 8 + [self.clitic] * 6 + [self.number] * 4 + [self.abbreviation] * 5 + [self.script] * 3 + [
            self.host] * 2 + [self.compound] * 4 + [self.quoted] * 4 + [self.mash] * 4 + [self.random_character] * 2 + [self.mark] * 6 + [
            self.fraction, self.phone, self.tag, self.emoji, self.smiley, self.ampersand, self.acronym, self.typo]

    def pick(self, items):
        """One of the items."""
        return self.rng.choice(items)

    def some(self, alphabet, low, high):
        """A string of `low` to `high` characters of the alphabet."""
        return "".join(self.pick(alphabet) for _ in range(self.rng.randint(low, high)))

    def word(self):
        """A word from the list, in some letter case."""
        word = self.pick(WORDS)
        return self.pick([word, word, word, word.lower(), word.upper(), word.capitalize()])

    def script(self):
        """A word of another script, or a mix of two."""
        word = self.pick(SCRIPTS)
        return word + self.pick(["", "", "", self.pick(SCRIPTS), self.pick(APOSTROPHES) + "s", "-" + self.word(), "."])

    def clitic(self):
        """A word with an apostrophe of some kind, somewhere."""
        parts = [self.pick(["", self.pick(STEMS), self.pick(STEMS), self.pick(WORDS)])]
        for _ in range(self.pick([1, 1, 1, 2, 3])):
            parts += [self.pick(["", "", "n"]) + self.pick(APOSTROPHES), self.pick(CLITICS + [""])]
        return "".join(parts)

    def number(self):
        """Digits and what can come between them."""
        sign = self.pick(["", "", "", "-", "+", "$", "US$", "\u20ac", "#", "\u00a3", "(", "~", "'", ".", "@", "C$"])
        parts = [self.some(DIGIT, 1, 4)]
        for _ in range(self.rng.randint(0, 4)):
            parts += [self.pick(list(".,:-/ x\u00d7'\u00ad\u066b\u066c\u2013+%") + ["\u00a0", ""]), self.some(DIGIT, 0, 4)]
        end = self.pick(["", "", "", "%", "s", "'s", "th", "nd", "km", "-year-old", ".", ",", "\u00b0", "\u00b2", "\u2083", "\u207b\u00b9", "\u215b", "\"", "''", "AM", "p.m.", "\u2044"])
        return sign + "".join(parts) + end

    def fraction(self):
        """Like 1 1/2."""
        slash = self.pick(["/", "/", "\u2044", "\\/"])
        return self.pick(["", "", self.some(DIGIT, 1, 5) + self.pick([" ", "-", "\u00a0"])]) + self.pick(
            [self.some(DIGIT, 1, 5) + slash + self.some(DIGIT, 1, 5), "\u00bd", "\u00bc", "\u00be", "\u2153", "\u215e"]) + self.pick(["", "", "-inch", "s", slash + "2"])

    def phone(self):
        """Like (555) 123-4567."""
        gap = self.pick(["-", " ", ".", "\u00a0", ""])
        area = self.pick(["(" + self.some(DIGIT, 2, 3) + ")", self.some(DIGIT, 2, 4), "+" + self.some(DIGIT, 1, 3), "++" + self.some(DIGIT, 2, 4)])
        return area + gap + gap.join(self.some(DIGIT, 2, 5) for _ in range(self.rng.randint(1, 3)))

    def abbreviation(self):
        """An abbreviation, in some letter case, and what decides whether its full stop ends a sentence."""
        word = self.pick(ABBREVIATIONS)
        word = self.pick([word, word, word, word.lower(), word.upper(), word.capitalize()])
        return word + self.pick([".", ".", ".", ".", "", "..", ".,", ".'s", ".)"]) + self.pick([" ", " ", " ", "\u00a0", "", "  ", "\t"]) + self.pick(
            [self.pick(OPENERS), self.pick(OPENERS) + self.pick(["", ".", "?", ","]), self.pick(CAPITAL), self.pick(LOWER), self.some(DIGIT, 1, 3), self.word(), self.tag(), ""])

    def acronym(self):
        """Letters with full stops."""
        return ".".join(self.some(self.pick([CAPITAL, LOWER]), 1, 1) for _ in range(self.rng.randint(1, 5))) + self.pick(["", ".", ".", ". " + self.pick(OPENERS), "-" + self.word(), ".'s"])

    def ampersand(self):
        """Like AT&T, A+B; also with entities."""
        return self.pick(["&", "+", "&amp;", "&AMP;"]).join(self.some(self.pick([CAPITAL, LOWER]), 1, 3) for _ in range(self.rng.randint(2, 4))) + self.pick(["", ".", ".,", "-x"])

    def compound(self):
        """Words and numbers joined by hyphens, slashes and other characters."""
        parts = [self.pick([self.word(), self.some(LOWER, 1, 4), self.some(DIGIT, 1, 3), self.pick(SCRIPTS), self.pick(ABBREVIATIONS) + "."])]
        for _ in range(self.rng.randint(1, 4)):
            parts += [self.pick(["-", "-", "-", "/", "/", "_", "\u2010", "\u2011", ".", ",", "+", "=", "==", "\u2013", "\u2014", "--", "\\/", "\u00ad", "*", "@", "|", "&", ":", "~"]),
                      self.pick([self.word(), self.some(LOWER, 1, 4), self.some(DIGIT, 1, 3), self.pick(SCRIPTS), "d'a", "l\u2019e", "U.S.", ""])]
        return "".join(parts)

    def quoted(self):
        """Words in quotes or brackets, which may not match."""
        marks = self.pick([QUOTES, QUOTES, BRACKETS, DASHES])
        inside = self.pick(["", " ", "\u00a0"]).join(self.pick([self.word, self.clitic, self.number, self.script])() for _ in range(self.rng.randint(1, 3)))
        return self.pick(marks) + self.pick(["", "", " "]) + inside + self.pick(["", "", " ", ".", ","]) + self.pick(marks)

    def mark(self):
        """Punctuation, a symbol, a dash, one or a few."""
        return "".join(self.pick(self.pick([STOPS, STOPS, SYMBOLS, DASHES, QUOTES, BRACKETS])) for _ in range(self.pick([1, 1, 1, 2, 3])))

    def host(self):
        """An address, a social media tag, a file name."""
        return self.pick(HOSTS)

    def tag(self):
        """Markup, complete or not."""
        return self.pick(TAGS)

    def emoji(self):
        """Characters beyond the basic plane, and what goes with them."""
        return self.pick(EMOJI)

    def smiley(self):
        """A face made of punctuation."""
        return self.pick(SMILEYS) + self.pick(["", "", ")", "x", "."])

    def mash(self):
        """A dense mix of characters that the rules name."""
        return self.some(MASH, 2, 14)

    def random_character(self):
        """Any character of the basic plane, perhaps inside a word."""
        while True:
            c = self.rng.randint(1, self.pick([0x17F, 0x3FF, 0xFFF, 0x2FFF, 0xFFFF]))
            if c not in LINE_ENDS and not 0xD800 <= c < 0xE000:
                return self.pick(["", "a", "A", "don", "5", "U.S. "]) + chr(c) + self.pick(["", "", "b", "'s", "5"])

    def typo(self):
        """A word with a character changed, added or lost."""
        word = self.word()
        at = self.rng.randint(0, len(word))
        return word[:at] + self.pick(MASH + [""]) + word[at + self.pick([0, 1]):]

    def line(self):
        """A line of one to nine pieces."""
        parts = []
        for _ in range(self.pick([1, 2, 3, 4, 5, 6, 7, 8, 9])):
            parts += [self.pick(self.kinds)(), self.pick(SPACES)]
        return "".join(parts)


def hard_lines(seed, n):
    """The n lines of a seed."""
    lines = Lines(seed)
    return [lines.line() for _ in range(n)]
