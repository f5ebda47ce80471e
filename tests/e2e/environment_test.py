#!/usr/bin/env python3
"""The programs in surroundings that are poorer or odder than a developer's: closed streams, full disks, few
descriptors, no /proc, names that are no UTF-8."""
import json
import os
import shutil
import socket
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

from palisade import PATIENCE, PROGRAM, SOURCE, Running, Subscriber, main, palisade, wait_for

DEMO = SOURCE / "configs" / "models" / "demo"
PICTURE = SOURCE / "tests" / "golden" / "pictures" / "rgb.png"
FILM = SOURCE / "tests" / "golden" / "clips" / "street.mp4"


def shell(script, *arguments, **options):
    """The program is $0, its arguments are "$@"; bytes are kept as they are."""
    return subprocess.run(["bash", "-c", script, PROGRAM, *arguments], capture_output=True, timeout=PATIENCE, **options)


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="palisade-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def config(self, extra="", streams=f"  - {{name: film, url: {FILM}, loop: true, tasks: [{{task: caption}}]}}\n"):
        path = self.folder / "config.yaml"
        path.write_text(f"node: test\n{extra}streams:\n{streams}")
        return path


class Streams(Folder):
    def test_output_that_is_lost_is_exit_code_1_and_never_a_signal(self):
        commands = [["version"], ["--help"], ["config", "check", self.config()], ["ask", "caption en", PICTURE]]
        for command in commands:
            full = shell('"$0" "$@" > /dev/full', *command)
            self.assertEqual((command, full.returncode), (command, 1))
            self.assertIn(b"stdout", full.stderr)
            self.assertEqual((command, shell('"$0" "$@" >&-', *command).returncode), (command, 1))
            reading, writing = os.pipe()
            os.close(reading)
            done = subprocess.run([PROGRAM, *command], stdout=writing, stderr=subprocess.PIPE, timeout=PATIENCE)
            os.close(writing)
            self.assertEqual((command, done.returncode), (command, 1))

    def test_commands_do_their_work_without_stdin_or_stderr(self):
        for closed in ("<&-", "2>&-", "<&- 2>&-"):
            done = shell(f'"$0" "$@" {closed}', "ask", "caption en", PICTURE)
            self.assertEqual(done.returncode, 0)
            self.assertTrue(done.stdout)

    def test_no_socket_or_file_of_the_service_becomes_a_standard_stream(self):
        config = self.config(f"publish: ipc://{self.folder}/events\n")
        process = subprocess.Popen(["bash", "-c", 'exec "$0" serve --config "$1" <&- >&- 2>&-', PROGRAM, config])
        try:
            subscriber = Subscriber(f"ipc://{self.folder}/events", "palisade/v1/service/")
            subscriber.receive()
            for number in range(3):
                self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{number}"), "/dev/null")
            subscriber.close()
        finally:
            process.terminate()
            self.assertEqual(process.wait(timeout=PATIENCE), 0)


class Files(Folder):
    def test_files_and_folders_are_nobody_elses_even_under_umask_0(self):
        config = self.config(f"packed_cache: {self.folder}/cache\npublish: ipc://{self.folder}/run/events\n",
                             f"  - {{name: film, url: {FILM}, tasks: [{{task: caption}}]}}\n")
        (self.folder / "run").mkdir()
        done = shell('umask 0; "$0" serve --config "$1" --until-end', config)
        self.assertEqual(done.returncode, 0, done.stderr)
        for path in [path for path in self.folder.rglob("*") if path.name not in ("run", "config.yaml")]:
            mode = stat.S_IMODE(path.lstat().st_mode)
            self.assertEqual((path.name, oct(mode & 0o027)), (path.name, oct(0)))

    def test_a_symbolic_link_is_not_written_through(self):
        precious, link, data = self.folder / "precious", self.folder / "link", self.folder / "data.jsonl"
        precious.write_text("precious")
        link.symlink_to(precious)
        data.write_text(json.dumps({"image": str(PICTURE), "prefix": "caption en", "suffix": "a car"}) + "\n")
        filters = self.folder / "filters.yaml"
        filters.write_text("least_side: 1\n")
        palisade("bench", "--quick", "--stages", "encode:1", "--picture", link, check=None)
        palisade("filter", data, "--filters", filters, "--out", link, check=None)
        self.assertEqual(precious.read_text(), "precious")

    def test_what_stands_at_an_endpoint_is_left_alone_and_abstract_sockets_are_refused(self):
        file = self.folder / "events"
        file.write_text("precious")
        config = self.config()
        refused = palisade("serve", "--config", config, "--publish", f"ipc://{file}", check=3)
        self.assertIn("no socket", refused.stderr)
        self.assertEqual(file.read_text(), "precious")
        self.assertIn("abstract", palisade("serve", "--config", config, "--publish", "ipc://@events", check=2).stderr)
        self.assertIn("abstract", palisade("config", "check", self.config("control: ipc://@control\n"), check=2).stderr)

    def test_the_default_endpoint_is_a_socket_in_a_folder_of_this_user_alone(self):
        environment = {"XDG_RUNTIME_DIR": str(self.folder)}
        with Running(PROGRAM, "serve", "--config", self.config(), environment=environment) as service:
            wait_for(lambda: "publishing on" in service.stderr(), "the service")
            self.assertEqual(stat.S_IMODE((self.folder / "palisade").stat().st_mode), 0o700)
            self.assertIn(f"ipc://{self.folder}/palisade/events", service.stderr())
            watched = palisade("watch", "palisade/v1/service/", "--json", "--count", 1, env={**os.environ, **environment})
            self.assertIn("heartbeat", watched.stdout)
            self.assertEqual(service.stop(), 0)
        (self.folder / "palisade").chmod(0o777)
        self.assertIn("written by others", palisade("serve", "--config", self.config(), check=3,
                                                    env={**os.environ, **environment}).stderr)

    def test_names_that_are_no_utf_8_are_names_like_others(self):
        odd = os.fsencode(self.folder) + b"/caf\xe9"
        os.mkdir(odd)
        shutil.copytree(os.fsencode(DEMO), odd + b"/model")
        shutil.copy(os.fsencode(PICTURE), odd + b"/b\xfc.png")
        shutil.copy(os.fsencode(FILM), odd + b"/film\xe9.mp4")
        asked = shell('"$0" ask --model "$1/model" "caption en" "$1/"b*.png --json', odd)
        self.assertEqual(asked.returncode, 0, asked.stderr)
        self.assertTrue(json.loads(asked.stdout.decode("utf-8")))
        told = shell('"$0" caption --model "$1/model" "$1/"film*.mp4 --every 1s --json', odd)
        self.assertEqual(told.returncode, 0, told.stderr)
        for line in told.stdout.decode("utf-8").splitlines():
            json.loads(line)
        lines = odd + b"/lines.jsonl"
        with open(lines, "w") as out:
            out.write(json.dumps({"image": str(PICTURE), "prefix": "caption en", "suffix": "a car"}) + "\n")
        kept = odd + b"/kept\xe9.jsonl"
        done = shell('printf "least_side: 1" > "$1/f\xe9.yaml"; "$0" filter "$2" --filters "$1/"f*.yaml --out "$3"', odd, lines, kept)
        self.assertEqual((done.returncode, os.path.exists(kept)), (0, True), done.stderr)


class Poverty(Folder):
    def test_few_descriptors_are_an_error_in_one_line_and_no_crash(self):
        for most in (3, 4, 6, 8, 12, 16, 24):
            done = shell(f'ulimit -n {most}; exec "$0" "$@"', "ask", "caption en", PICTURE)
            self.assertIn(done.returncode, (0, 1, 2, 3, 127), (most, done.stderr))
            if done.returncode != 0:
                self.assertTrue(done.stderr)

    def test_a_service_with_few_descriptors_goes_on(self):
        streams = "".join(f"  - {{name: film{i}, url: {FILM}, loop: true, tasks: [{{task: caption}}]}}\n" for i in range(32))
        config = self.config(f"publish: ipc://{self.folder}/events\n", streams)
        process = subprocess.Popen(["bash", "-c", 'ulimit -n 64; exec "$0" serve --config "$1" 2>"$2"', PROGRAM, config,
                                    self.folder / "stderr"])
        try:
            subscriber = Subscriber(f"ipc://{self.folder}/events")
            subscriber.until(lambda topic, _: topic.endswith("/caption"), "an answer")
            crowd = []
            for _ in range(60):
                crowd.append(socket.socket(socket.AF_UNIX))
                crowd[-1].settimeout(0.2)
                try:
                    crowd[-1].connect(f"{self.folder}/events")
                except OSError:
                    break
            for _ in range(3):
                subscriber.until(lambda topic, _: topic.endswith("/heartbeat"), "a heartbeat in the crowd")
            for each in crowd:
                each.close()
            subscriber.until(lambda topic, _: topic.endswith("/caption"), "an answer after the crowd")
            subscriber.close()
        finally:
            process.terminate()
            self.assertEqual(process.wait(timeout=PATIENCE), 0, (self.folder / "stderr").read_text()[-2000:])

    def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded_with_both_numbers(self):
        config = json.loads((DEMO / "config.json").read_text())
        config["text_config"].update(num_hidden_layers=1024, intermediate_size=16384)
        shutil.copytree(DEMO, self.folder / "model", symlinks=True)
        (self.folder / "model" / "config.json").write_text(json.dumps(config))
        done = shell('ulimit -v 3000000; exec "$0" "$@"', "ask", "--model", self.folder / "model", "caption en", PICTURE)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr.decode(), r"needs \d+\.\d GB of memory, and \d\.\d GB are available.*--precision int8")

    def test_a_machine_without_home_temporary_folder_or_time_zone_will_do(self):
        environment = {"PATH": os.environ["PATH"], "TMPDIR": "/nowhere", "TZ": "Nowhere/Odd", "LC_ALL": "xx_YY", "LANG": "de_DE"}
        done = palisade("ask", "caption en", PICTURE, "--json", env=environment)
        self.assertTrue(json.loads(done.stdout))

    def test_a_proc_that_is_missing_or_read_only_will_do(self):
        for hide in ("mount -t tmpfs none /proc", "mount -o remount,ro,bind /proc"):
            probe = subprocess.run(["unshare", "-m", "bash", "-c", hide], capture_output=True)
            if probe.returncode != 0:
                self.skipTest("this user may not hide /proc")
            done = subprocess.run(["unshare", "-m", "bash", "-c", f'{hide}; exec "$0" "$@"', PROGRAM, "ask", "--model", DEMO,
                                   "caption en", PICTURE], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual((hide, done.returncode), (hide, 0), done.stderr)


if __name__ == "__main__":
    main()
