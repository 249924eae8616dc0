"""A page with a living figure in a real browser, and what one sees of it."""

FIGURE = "document.querySelector('coursepkg-figure')"
PAGE = "<!doctype html><html lang=en><meta charset=utf-8><title>A figure</title><body style='{style}'>"
PAGE += "<main><h1>A figure</h1>{body}</main>"
# Everything that one sees, pixels included.
LOOK = """() => {
    const figure = document.querySelector('coursepkg-figure').shadowRoot.querySelector('figure');
    const parts = [...figure.children].filter(part => !part.matches('.voice'));
    const sampled = canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
        .filter((_, n) => n % 997 === 0);
    const pixels = [...figure.querySelectorAll('canvas')].flatMap(canvas => [...sampled(canvas)]);
    return [parts.map(part => part.outerHTML).join('\\n'), pixels];
}"""


class View:
    """A page with a figure; its errors and what it asked for from elsewhere are collected."""

    def __init__(self, context):
        self.page = context.new_page()
        self.complaints = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        self.page.on("request", lambda request: request.url.startswith("http") and self.complaints.append(request.url))

    def load(self, body, *, style="margin:16px;background:#fff"):
        self.page.goto("about:blank")
        self.page.set_content(PAGE.format(style=style, body=body))
        return self

    def tell(self, story, **how):
        self.load(story.html(), **how)
        self.page.wait_for_function(f"() => {FIGURE}.player", polling=20)
        return self

    def ask(self, expression):
        return self.page.evaluate(
            f"() => {{ const figure = {FIGURE}, root = figure.shadowRoot; return {expression}; }}"
        )

    @property
    def t(self):
        return self.ask("figure.player.t")

    def jump(self, t):
        self.page.evaluate(f"t => {FIGURE}.player.jump(t)", t)

    def look(self):
        return self.page.evaluate(LOOK)

    def wait(self, milliseconds):
        self.page.clock.run_for(milliseconds)

    def locator(self, selector, **how):
        return self.page.locator("coursepkg-figure").locator(selector, **how)

    def text(self, selector):
        return self.ask(f"root.querySelector({selector!r}).textContent")
