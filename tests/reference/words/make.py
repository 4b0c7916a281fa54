"""Writes words.csv: how often which word stands in the documentation strings of
modules of Python's standard library. `python3 make.py` in this folder, with
Python 3.11.7, whose files it reads; it needs nothing else."""

import ast
import collections
import pathlib
import re
import sys
import sysconfig

WORDS_A_DOCUMENT = (70, 220)
IN_DOCUMENTS = (4, 0.4)
VOCABULARY = 400

THEMES = {
    "network": """socket socketserver ssl http/client http/server http/cookiejar http/cookies urllib/parse
        urllib/request urllib/robotparser ftplib smtplib poplib imaplib nntplib telnetlib xmlrpc/client
        xmlrpc/server wsgiref/handlers wsgiref/headers wsgiref/validate ipaddress webbrowser cgi""",
    "mail": """email/base64mime email/charset email/errors email/feedparser email/generator email/header
        email/headerregistry email/message email/mime/image email/parser email/policy email/quoprimime
        email/utils mailbox base64""",
    "concurrency": """asyncio/base_events asyncio/events asyncio/futures asyncio/locks asyncio/protocols
        asyncio/queues asyncio/runners asyncio/streams asyncio/tasks asyncio/timeouts asyncio/transports
        concurrent/futures/_base concurrent/futures/process concurrent/futures/thread multiprocessing/context
        multiprocessing/managers multiprocessing/pool multiprocessing/process queue sched subprocess threading""",
    "files": """shutil tarfile zipfile tempfile pathlib os posixpath ntpath genericpath filecmp fileinput gzip
        bz2 lzma fnmatch glob zipapp _pyio""",
    "code": """ast dis inspect importlib/abc importlib/util importlib/_bootstrap importlib/_bootstrap_external
        pkgutil py_compile compileall pyclbr symtable tokenize code codeop runpy imp zipimport linecache
        modulefinder types""",
    "tests": """doctest unittest/case unittest/loader unittest/mock unittest/result unittest/suite pdb bdb trace
        traceback profile cProfile pstats timeit warnings""",
    "xml": """xml/dom/expatbuilder xml/dom/minidom xml/etree/ElementTree xml/sax/handler xml/sax/saxutils
        xml/sax/xmlreader html/parser xml/dom/pulldom""",
}

# English, and what the documentation of any program says: such words tell no module from another.
STOP = set(
    """abc able about above absolute abstract accept accepted accepting accepts accessed according across act
    action actual actually add added adding addition additional addr adds after again against alia all allow
    allowed allowing allows along already also alternate alternative although always among amount and anonymous
    another any anything api appear append appended appending applicable application applied apply approach
    appropriate arbitrary are arg args argument arguments around arrange array assigned associated assume
    assumed assumes assuming attempt attempted attempting attr attribute attributes automatic automatically
    available avoid aware away back backward base based basic because becomes been before begin beginning
    behavior being below besides best better between bind bit blank body bool boolean both bound break broken
    build built builtin but bytes calculate calculated call callable called calling calls came can cannot
    canonical capability capture care case cases caught cause certain chain change changed changing char check
    checked checking checks child children choose class classes clean clear cleared cls code collection column
    come comes common compared comparing compatibility compatible complete completed compliant component compute
    concrete condition consider considered consist constant construct constructor contain contained container
    containing contains content continue control convenience conversion convert converted copied copy correct
    correspond corresponding could count create created creates creating creation cumulative current currently
    custom data deal decide declaration def default defaulting defaults define defined defines definition delay
    delete depend dependent depending deprecated derive derived describe described description designed detailed
    details determine determined dict dictionary did differ difference different direct directly disable
    disabled discarded display divide docstring documentation does doesn doing don done double down drive due
    duplicate during each effect either else enable enabled encountered end ending ends enough ensure enter
    entire entry equal equivalent error errors especially etc even ever every everything exact exactly example
    examples exceed except exception exceptions execute executed executing execution exist existing exists exit
    expanded expect expected explicit explicitly expression extended extension extra fact fail failure fall
    fallback false far fast feature feed fetch few field filter final find finish finished first fixed flag
    follow followed following foo for force form format found four framework free from frozen full fully func
    function functionality functions further general generally generate generated generator generic get gets
    give given gives giving global goes going good got greater group guaranteed had hand handle handled handling
    happen happens hard has have having head help helper hence her here hierarchy high higher hold home how
    however identical identifier identifying iff ignore ignored immediately implement implementation implemented
    implementing implements imply important include included includes including incomplete index indicate
    indicated indicates indicating individual infinite info information initial initialize input inside instance
    instances instantiate instantiating instead int integer intended interface internal internally interpreted
    into ints invalid invocation invoke invoked isn iso issue item iterable iterate iteration iterator its
    itself jan just keep kept key keys keyword keywords kind know known kwargs large larger last later latter
    leading least left legacy length less let level library like limit limited list local log logging logical
    long longer look looked looks low lower made magic main make makes making manage many map mapping mark
    marked match matches matching matter maximum may mean meaning means meant merely meta method methods middle
    might minus missing mix mode modification modified modify module modules moment more most mostly much multi
    multiple must name named names nearest nearly necessary need needed needs negative neither nested never new
    next non none nor normal normally not notation note nothing now null number numeric obj object objects occur
    occurred occurrence off offset often old omitted once one ones only onto operation optimization option
    optional optionally options order origin original oserror other others otherwise our out output outside over
    overridden override overriding own owner pair param parameter parameters parent part particular pass passed
    passing pattern pep per perform performance performed perhaps period permission place placed plain platform
    please plus point pointer portion position positional positive posix possible possibly post pre precision
    preferred prefix present prevent previous previously print printed printing prior private probably problem
    processed processing produce program proper properly property provide provided provides public purpose put
    python quite quote raise raised raises raising range rather raw reach reached reading ready real really
    reason recent recommended record refer reference regardless register registered registry regular related
    relative release rely remain remaining remote remove removed replace replaced replacement report reported
    repr represent representation represented representing represents required requires reserved reset resolve
    respectively responsible rest result resulting results retained return returned returning returns reverse
    right root round routine rule run running runs safe safely same sample search searched second section see
    seen select selected self semantic separate separated separator sequence serve set sets setting setup
    several shall she short shorthand should shouldn show side sign silently similar similarly simple simply
    since single size skip slightly small smaller some something soon sort sorted space spec special specialized
    specific specification specified specify specifying split standard start starting starts state status step
    still stop store stored str strict string strings structure style sub subclass subclasses subsequent subset
    subtype success successful successfully such suffix suitable super supplied support supported supports
    suppose sure sys system table tag take taken takes target tell term than that the their them then there
    therefore these they thing things third this those though three through thus times today together too took
    top trailing transform translate treated tree tried tries true try trying tuple turn turned two type
    typeerror types typically unchanged undefined under underlying unexpected unique unknown unless unlike
    unspecified unsupported until update upon usage use used useful user uses using usually utility valid value
    valueerror values variable variant various version very via walk want wanted wants was way well were what
    whatever when whenever where whether which while who whole whom whose why will with within without won word
    work working works worth would wrap wrapped wrapper wrapping writing written xxx yes yet you your zero""".split()
)

library = pathlib.Path(sysconfig.get_paths()["stdlib"])


def documentation(module):
    """The documentation strings of a module, its classes and functions, in the order of the file."""
    tree = ast.parse((library / f"{module}.py").read_text(encoding="utf-8"))
    nodes = [each for each in ast.walk(tree) if isinstance(each, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))]
    nodes.sort(key=lambda node: node.lineno)
    return "\n".join(ast.get_docstring(node) or "" for node in [tree, *nodes])


def words(text):
    """Words in small letters without examples, identifiers, addresses and stop words; plurals as singulars."""
    text = re.sub(r"^\s*(>>>|\.\.\. ).*$", " ", text, flags=re.MULTILINE)
    text = re.sub(r"\S*[_@/\\<>=\d]\S*|\w+\.\w\S*|\w+\(|\w*[a-z][A-Z]\w*|\w+'\w+", " ", text)
    for word in re.findall(r"[a-z]{3,}", text.lower()):
        if word in STOP:
            continue
        if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is", "ous")):
            word = word[:-3] + "y" if word.endswith("ies") else word[:-1]
            if re.search(r"(sse|xe|che|she)$", word):
                word = word[:-1]
        if word not in STOP:
            yield word


fewest, longest = WORDS_A_DOCUMENT
texts = []
for theme, modules in THEMES.items():
    for module in modules.split():
        texts.append((module.replace("/", "."), theme, list(words(documentation(module)))))

# The vocabulary: words in some documents but not in most, the most frequent of them,
# where no document counts for more than its beginning.
beginnings = [collections.Counter(text[: 2 * longest]) for _, _, text in texts]
spread = collections.Counter(word for counts in beginnings for word in counts)
total = sum(beginnings, collections.Counter())
least, most = IN_DOCUMENTS
kept = [word for word in total if least <= spread[word] <= most * len(texts)]
vocabulary = sorted(sorted(kept, key=lambda word: (-total[word], word))[:VOCABULARY])

documents = []
for name, theme, text in texts:
    found = [word for word in text if word in set(vocabulary)][:longest]
    if len(found) >= fewest:
        documents.append((name, theme, collections.Counter(found)))
vocabulary = [word for word in vocabulary if sum(word in counts for _, _, counts in documents) >= 3]

with open("words.csv", "w") as file:
    file.write(",".join(["name", "theme", *vocabulary]) + "\n")
    for name, theme, counts in documents:
        file.write(",".join([name, theme, *(str(counts[word]) for word in vocabulary)]) + "\n")

sizes = [sum(counts[word] for word in vocabulary) for _, _, counts in documents]
print(f"Python {sys.version.split()[0]}: {len(documents)} documents, {len(vocabulary)} words")
print(f"words a document: {min(sizes)} to {max(sizes)}, mean {sum(sizes) / len(sizes):.0f}")
print("themes:", dict(collections.Counter(theme for _, theme, _ in documents)))
