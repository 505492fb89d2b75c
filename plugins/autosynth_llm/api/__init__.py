"""In-context generation through any OpenAI-compatible endpoint: the procedure of arXiv 2406.03628 with GPT-4.

Real rows of one group are shown to a chat model, which is asked for new ones of the same group.  What it answers is
parsed as rows and nothing else; every row that the table does not allow is refused and counted by reason.
"""
