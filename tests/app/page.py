"""A page of `vlmark report`, read as a browser and as a program would."""
import html.parser
import os

import program

HOSTILE = "<script>alert('x')</script>\" onload=\"y & z"
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(html.parser.HTMLParser):
    """Elements must close in order; keeps tags, attributes, text and the rows of tables."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.problems, self.tags, self.attributes = [], [], set(), []
        self.rows, self.text, self.section = [], "", None
        self.feed(text)
        self.close()
        self.problems += [f"never closed: {tag}" for tag in self.open]

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes
        attributes = dict(attributes)
        if tag == "section":
            self.section = attributes["id"]
        if tag == "tr":
            self.rows.append((self.section, []))
        if tag in ("td", "th"):
            self.rows[-1][1].append({"text": "", "value": None})
        if tag == "data":
            self.rows and self.rows[-1][1] and self.rows[-1][1][-1].update(
                value=float(attributes["value"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> at {self.getpos()} closes {self.open[-3:]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if self.rows and ("td" in self.open or "th" in self.open):
            self.rows[-1][1][-1]["text"] += data

    def row(self, section, label):
        """Cells behind the first row of a section with that label."""
        for where, cells in self.rows:
            if where == section and cells and cells[0]["text"] == label:
                return cells[1:]
        raise AssertionError(f"no row '{label}' in section {section}")


class PageTest(program.ProgramTest):
    def setUp(self):
        self.root = program.fresh(os.path.join(program.SCRATCH, self.id().split(".")[-1]))
        os.makedirs(self.root)

    def report(self, *folders, arguments=()):
        out = os.path.join(self.root, "report.html")
        self.vlmark("report", *folders, "--out", out, *arguments)
        with open(out, encoding="utf-8") as file:
            text = file.read()
        page = Page(text)
        self.assertEqual(page.problems, [])
        self.loads_nothing(text, page)
        return page

    def loads_nothing(self, text, page):
        self.assertNotRegex(text, r"https?:")
        self.assertEqual(page.tags & {"script", "link", "img", "iframe", "object", "embed"}, set())
        names = {name for name, _ in page.attributes}
        self.assertEqual(names & {"src", "srcset", "data", "action", "xlink:href"}, set())
        self.assertEqual([n for n in names if n.startswith("on")], [])
        for name, value in page.attributes:
            if name == "href":
                self.assertRegex(value, r"^#[a-z-]+$")
        self.assertNotIn("url(", text)
        self.assertNotIn("@import", text)
