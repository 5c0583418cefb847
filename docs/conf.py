"""Settings of Sphinx. Pages are Markdown as GitHub shows it, read in place.

The source folder is the project's: links between pages, and to files of the project, are the same
in the site, on GitHub and in an editor.
"""

project = "exp_to_source"
author = "The exp_to_source developers"
project_copyright = "The exp_to_source developers"

root_doc = "docs/index"
extensions = ["myst_parser"]
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "config/README.md",
    "benchmarks/README.md",
    "benchmarks/results/results.md",
    "docs/**.md",
]
# Not searched.
exclude_patterns = [".*", "demo", "docs/_build", "results", "logs", "benchmarks/data"]

myst_heading_anchors = 3

html_theme = "furo"
html_title = "exp_to_source"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["static"]
html_css_files = ["site.css"]
# Redirects from the top of the site to its first page.
html_extra_path = ["site/index.html"]
highlight_language = "none"
