"""The generator ``llm``: a Hugging Face causal language model, fine-tuned on rows as text and held to their grammar.

- ``options``: its knobs;
- ``loading``: a model from a local folder or the hub, safetensors only;
- ``row_text``: rows as sequences of tokens;
- ``grammar``: what may come next, as arrays;
- ``examples``: what a training step reads;
- ``training``: fine-tuning, full or with adapters;
- ``checkpoints``: an interrupted training goes on;
- ``reading``: what the model says next, with a cache or without;
- ``self_check``: whether it may have one;
- ``decoding``: batched sampling that can only write valid rows;
- ``storage``: a fitted generator in a folder;
- ``isolation``: the process is left as it was;
- ``generator``: all of it behind ``fit`` and ``sample``.
"""
