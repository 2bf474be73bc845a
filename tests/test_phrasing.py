"""A language model words cues ahead of need, within the book's words; else the book's own stand."""

import asyncio
import json

import httpx
import jsonschema
import pytest
from conftest import Saddle

from firmware_app.clock import MachineClock
from firmware_app.errors import BadSetting, PartLost
from firmware_app.ride.ride import Send
from firmware_app.settings import Phrasing, read_settings
from firmware_app.wire import CueAnswer, Live, PoseFeatures, Prepare, RideId
from gateway.phrasing.agent import Agent
from gateway.phrasing.tools import TOOLS, Toolbox, schemas

HERE = Phrasing(url="http://model.test/v1", model="m", deadline_s=2.0)


def says(*calls, content=None):
    """What an endpoint answers: calls of (function, arguments)."""
    tool_calls = [
        {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for n, (name, arguments) in enumerate(calls)
    ]
    return {"choices": [{"message": {"content": content, "tool_calls": tool_calls or None}}]}


def say(words, rule="shrug"):
    return says(("say", json.dumps({"rule": rule, "words": words})))


class Scene:
    """An agent, a real ride that judges its words, and a model that answers as it is told."""

    def __init__(self, *answers, settings=HERE):
        self.ride = Saddle(rider="Ana").ride
        self.asked, self.rendered = [], []
        answers = iter(answers)

        def model(request):
            self.asked.append(json.loads(request.content))
            answer = next(answers)
            return httpx.Response(200, json=answer) if isinstance(answer, dict) else answer

        client = httpx.AsyncClient(transport=httpx.MockTransport(model))
        self.agent = Agent(settings, MachineClock(), self.tell, client)
        self.agent.hear(self.ride.lexicon())

    def tell(self, command):
        for deed in self.ride.feed(command):
            if isinstance(deed, Send) and isinstance(deed.message, CueAnswer):
                asyncio.get_running_loop().call_soon(self.agent.hear, deed.message)
            elif isinstance(deed, Send) and isinstance(deed.message, Prepare):
                self.rendered += deed.message.texts
        return True

    def word(self, rule="shrug"):
        return asyncio.run(self.agent.word(rule, "en"))

    @property
    def told(self):
        """What the model was told last by a function."""
        return json.loads(self.asked[-1]["messages"][-1]["content"])


def test_words_of_the_book_are_taken_and_rendered_with_the_name_ahead_of_need():
    scene = Scene(
        says(("cue_library", '{"rule": "shrug"}')), say("{name}, soften your shoulders, breathe")
    )
    assert scene.word() == "{name}, soften your shoulders, breathe"
    assert scene.rendered == ["Ana, soften your shoulders, breathe"]
    assert "shoulders" in scene.told["about"]
    assert "Ana" not in json.dumps(scene.asked), "the model never hears who rides"


def test_the_coach_says_them_first_and_the_books_own_after():
    scene = Scene(say("Let your shoulders soften"))
    scene.word()
    coach = scene.ride._coach
    assert coach._words("shrug")[0] == "Let your shoulders soften"
    assert coach._words("shrug")[1] == "{name}, drop your shoulders"
    assert coach._words("sway")[0] == "{name}, quiet your upper body"


def test_refused_words_come_back_once_with_the_reason():
    scene = Scene(say("Raise your shoulders"), say("Relax your shoulders"))
    assert scene.word() == "Relax your shoulders"
    assert '"raise" is no word of the cue book' in scene.told["why"]


@pytest.mark.parametrize(
    "wrong",
    [
        say("Raise your shoulders"),
        say("Drop your shoulders or you get hurt"),
        say("{name}, {name}, drop your shoulders"),
        says(("say", '{"rule": "shrug"}')),
        says(("say", "not json")),
        says(content="Drop your shoulders!"),
    ],
)
def test_twice_wrong_and_the_books_own_words_stand(wrong):
    scene = Scene(wrong, wrong, say("Relax your shoulders"))
    assert scene.word() == ""
    assert not scene.rendered
    assert len(scene.asked) == 2


def test_what_was_accepted_is_given_to_the_next_ride_without_a_question():
    scene = Scene(say("Relax your shoulders"))
    scene.word()
    scene.ride = Saddle(rider="Ben").ride
    assert scene.word() == "Relax your shoulders"
    assert len(scene.asked) == 1
    assert "Relax your shoulders" in scene.rendered


def test_a_model_that_is_too_slow_is_not_waited_for():
    scene = Scene(settings=Phrasing(url="http://model.test/v1", deadline_s=0.5))

    async def never(_request):
        await asyncio.sleep(60)

    scene.agent._endpoint._client = httpx.AsyncClient(transport=httpx.MockTransport(never))
    assert scene.word() == ""


def test_a_model_that_only_asks_is_left_after_a_few_rounds():
    scene = Scene(*[says(("pose_monitor", "{}"))] * 20)
    assert scene.word() == ""
    assert len(scene.asked) == 6


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.Response(401, text="no key"), "look at url, model and key_file"),
        (httpx.Response(200, text="<html>"), "does not answer as"),
        (httpx.Response(200, json={"choices": []}), "does not answer as"),
        (httpx.Response(200, content=b"x" * 70000), "70000 bytes"),
    ],
)
def test_an_endpoint_that_is_none_is_told_in_words(answer, why):
    with pytest.raises(PartLost, match=why):
        Scene(answer).word()


def test_a_ride_has_all_its_rules_worded_what_shows_first():
    scene = Scene(*[says(content="no")] * 100)
    scene.agent.hear(features({"sway": 0.9, "shrug": 0.2}))

    async def one_ride():
        running = asyncio.create_task(scene.agent.run(lambda: None))
        rules = len(scene.ride.lexicon().rules)
        while len(scene.asked) < 2 * rules:  # noqa: ASYNC110 - the model is a function here
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(asyncio.wait_for(one_ride(), 10))
    assert "about sway." in scene.asked[0]["messages"][1]["content"]


def test_an_address_that_is_none_is_refused_in_the_settings():
    with pytest.raises(BadSetting, match="is no address; write http"):
        read_settings('box = "b1"\n[phrasing]\nurl = "model:8000"')


# the functions ------------------------------------------------------------------------------------


def features(evidence):
    return PoseFeatures(
        t_s=1.0,
        ride=RideId("r"),
        class_id="42",
        rider_pseudonym="p-1",
        view="front",
        cadence_rpm=80.0,
        learning=None,
        evidence=evidence,
    )


async def accept(_rule, _words):
    return ""


@pytest.fixture
def tools():
    tools = Toolbox(accept)
    tools.lexicon = Saddle().ride.lexicon()
    return tools


def call(tools, name, arguments="{}"):
    return asyncio.run(tools.call(name, arguments))


def test_each_function_has_a_schema_that_an_endpoint_can_use():
    told = {one["function"]["name"]: one["function"] for one in schemas()}
    assert told.keys() == TOOLS.keys()
    for function in told.values():
        jsonschema.Draft202012Validator.check_schema(function["parameters"])
        assert function["parameters"]["additionalProperties"] is False
        assert function["description"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"rule": "shrug", "words": "x" * 81}, told["say"]["parameters"])


def test_the_pose_monitor_tells_states_and_figures_and_nobody(tools):
    assert json.loads(call(tools, "pose_monitor").text) == {"riding": False}
    tools.live = Live(
        t_s=1.0,
        ride=RideId("r"),
        class_id="42",
        rider_pseudonym="p-1",
        phase="riding",
        cadence_rpm=80.0,
        states={"shrug": "fault"},
        name="Ana",
    )
    tools.pose = features({"shrug": 1.2})
    told = call(tools, "pose_monitor").text
    assert json.loads(told) == {
        "riding": True,
        "cadence_rpm": 80.0,
        "states": {"shrug": "fault"},
        "evidence": {"shrug": 1.2},
    }


def test_the_exercise_library_knows_every_rule_of_the_book(tools):
    for rule in tools.lexicon.rules:
        assert json.loads(call(tools, "exercise_library", f'{{"rule": "{rule}"}}').text)["about"]


def test_the_cue_library_gives_the_books_sentences_and_its_words(tools):
    told = json.loads(call(tools, "cue_library", '{"rule": "shrug"}').text)
    assert told["say"][0] == "{name}, drop your shoulders"
    assert {"drop", "your", "shoulders", "relax"} <= set(told["words"])


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("shell", "{}", "no function is called shell"),
        ("cue_library", '{"rule": "wings"}', "no rule is called wings"),
        ("exercise_library", "[]", "Expected `object`"),
        ("pose_monitor", '{"of": "Ana"}', "unknown field `of`"),
        ("say", '{"rule": "shrug", "words": "ab"}', "length >= 3"),
    ],
)
def test_a_wrong_call_is_answered_with_what_is_wrong(tools, name, arguments, why):
    assert why in json.loads(call(tools, name, arguments).text)["why"]
