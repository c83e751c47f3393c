"""What PEFT makes of our adapters, and adapters of its own. Run by check.ts.

Argument: a folder. ``cases.json`` in it names, per case, an adapter directory of ours, the same adapter merged into
its base, token ids, and the settings of an adapter that PEFT is to write. Logits go to ``answers.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

try:
    import torch
    from peft import AutoPeftModelForCausalLM, LoraConfig, PeftModel, get_peft_model
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(3)

logging.set_verbosity_error()
logging.disable_progress_bar()


def base_of(directory: str) -> Any:
    """The model in a directory, in float32."""
    return AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()


@torch.no_grad()
def logits_of(model: Any, tokens: list[int]) -> list[list[float]]:
    """Logits of the next token after every token."""
    found: list[list[float]] = model(torch.tensor([tokens])).logits[0].tolist()
    return found


def fresh(case: dict[str, Any]) -> dict[str, float]:
    """How far the numbers of a fresh adapter reach: of A relative to 1 / sqrt(in), of B."""
    model = get_peft_model(base_of(case["base"]), LoraConfig(task_type="CAUSAL_LM", **case["theirs"]))
    reach = {"a": 0.0, "b": 0.0}
    for name, parameter in model.named_parameters():
        if "lora_A" in name:
            bound = parameter.shape[1] ** -0.5
            reach["a"] = max(reach["a"], parameter.abs().max().item() / bound)
        elif "lora_B" in name:
            reach["b"] = max(reach["b"], parameter.abs().max().item())
    return reach


def written(case: dict[str, Any]) -> list[list[float]]:
    """Has PEFT write a random adapter; its logits."""
    torch.manual_seed(case["seed"])
    config = LoraConfig(task_type="CAUSAL_LM", **case["theirs"])
    model = get_peft_model(base_of(case["base"]), config).eval()
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.4 * parameter.shape[1] ** -0.5)
    model.save_pretrained(case["into"])
    return logits_of(model, case["tokens"])


def answer(case: dict[str, Any]) -> dict[str, Any]:
    """Logits of our adapter in every way that it can be loaded, and of one that PEFT wrote."""
    tokens = case["tokens"]
    on_base = PeftModel.from_pretrained(base_of(case["base"]), case["adapter"]).eval()
    alone = AutoPeftModelForCausalLM.from_pretrained(case["adapter"], dtype=torch.float32).eval()
    answers = {
        "peft": logits_of(on_base, tokens),
        "auto": logits_of(alone, tokens),
        "merged_by_us": logits_of(base_of(case["merged"]), tokens),
        "fresh": fresh(case),
        "written": written(case),
    }
    answers["merged_by_peft"] = logits_of(on_base.merge_and_unload(), tokens)
    return answers


def main(folder: Path) -> None:
    """Answers every case, and has PEFT write the adapter that is to be refused."""
    cases = json.loads((folder / "cases.json").read_text())
    answers = {case["name"]: answer(case) for case in cases["cases"]}
    refused = cases["refused"]
    for name, extra in refused["settings"].items():
        config = LoraConfig(task_type="CAUSAL_LM", **extra)
        get_peft_model(base_of(refused["base"]), config).save_pretrained(f"{refused['into']}/{name}")
    (folder / "answers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
