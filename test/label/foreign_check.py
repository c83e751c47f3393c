"""Has Label Studio's and Argilla's own packages read our files, and write their own from them. Called by foreign.ts."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

try:
    import argilla
    import label_studio_sdk
    from argilla.client import Argilla
    from argilla.records._io import JsonIO
    from argilla.records._io._generic import GenericIO
    from argilla.settings import Settings
    from label_studio_sdk.converter import Converter
    from label_studio_sdk.label_interface import LabelInterface
except ImportError as error:
    print(f"label-studio-sdk and argilla 2 are wanted: {error}", file=sys.stderr)
    sys.exit(3)

folder = Path(sys.argv[1])
checked = {}


def read(name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def write(name, value):
    (folder / name).write_text(json.dumps(value), encoding="utf-8")


def require(holds, what):
    if not holds:
        raise SystemExit(f"wrong: {what}")


def label_studio():
    config = (folder / "config.xml").read_text(encoding="utf-8")
    interface = LabelInterface(config)
    interface.validate()
    tasks, labels = read("ls-tasks.json"), read("ls-labels.json")
    for task in tasks:
        require(interface.validate_task({"data": task["data"]}), f"task {task}")
        for prediction in task.get("predictions", []):
            errors = interface.validate_prediction(prediction, return_errors=True)
            require(errors == [], f"prediction {prediction}: {errors}")
    for task in labels:
        for annotation in task["annotations"]:
            for region in annotation["result"]:
                require(interface.validate_region(region), f"region {region}")
    # As the server has them after an import and some work: with ids, and with people.
    number = 0
    for index, task in enumerate(tasks + labels):
        task["id"] = index + 1
        for annotation in task.setdefault("annotations", []):
            number += 1
            annotation["id"] = number
            annotation["created_at"] = f"2026-01-01T00:00:{number % 60:02d}.000000Z"
            name = annotation["result"][0]["meta"]["pivottrace"]["annotator"]
            annotation["completed_by"] = {"id": number, "email": name}
    write("ls-export.json", tasks + labels)
    converter = Converter(config, project_dir=None)
    export = str(folder / "ls-export.json")
    converter.convert_to_json_min(export, str(folder / "ls-min"), is_dir=False)
    converter.convert_to_csv(export, str(folder / "ls-csv"), is_dir=False, sep=",", header=True)
    checked["label-studio"] = {"tasks": len(tasks), "annotations": number}


def argilla_records():
    Argilla._get_default = classmethod(lambda cls: MagicMock())
    settings = Settings.from_json(folder / "settings.json")
    require([field.name for field in settings.fields] == ["question"], "fields")
    require([question.name for question in settings.questions] == ["answer"], "questions")
    require(len(settings.metadata) > 0, "metadata")
    settings.validate()
    dataset = SimpleNamespace(settings=settings, name="check", _client=None)
    count = {"tasks": 0, "labels": 0}
    for kind in count:
        records = JsonIO._records_from_json(folder / f"argilla-{kind}.json")
        count[kind] = len(records)
        path = folder / f"argilla-{kind}-sdk.json"
        JsonIO.to_json(records, path)
        write(f"argilla-{kind}-flat.json", GenericIO.to_list(records, flatten=True))
        models = []
        for record in records:
            record.dataset = dataset
            for response in record.responses:
                require(response.status.value == "submitted", f"status of {record.id}")
            models.append(record.api_model().model_dump(mode="json"))
        write(f"argilla-{kind}-api.json", {"items": models, "total": len(models)})
    checked["argilla"] = count


label_studio()
argilla_records()
versions = f"label-studio-sdk {label_studio_sdk.__version__}, argilla {argilla.__version__}"
print(json.dumps({"made_with": versions, "checked": checked}))
