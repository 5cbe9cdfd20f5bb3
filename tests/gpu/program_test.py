"""What the program of a CUDA build does on a machine without a driver, such as a login node."""

import ctypes
import os
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "app"))
import program  # noqa: E402


def has_driver():
    try:
        ctypes.CDLL("libcuda.so.1")
        return True
    except OSError:
        return False


class WithoutDevice(program.ProgramTest):
    def libraries(self, name):
        path = os.path.join(os.path.dirname(program.BINARY), name)
        return subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout

    def test_only_the_device_program_needs_the_driver(self):
        self.assertIn("libcuda.so.1", self.libraries("vlmark-device"))
        for library in ("libcuda", "libcudart", "libcublas", "libcudnn", "libnccl"):
            self.assertNotIn(library, self.libraries("vlmark"))

    def test_help_and_plan_work(self):
        for command in ([], ["run"], ["generate"], ["plan"]):
            self.assertIn("--help", self.vlmark(*command, "--help").stdout)
        self.assertIn("decoder", self.vlmark("plan", "--model", "2B", "--ranks", "8").stdout)
        self.assertIn("arena", self.vlmark("plan", program.QUICKSTART).stdout)

    @unittest.skipIf(has_driver(), "a driver is installed here")
    def test_device_commands_say_what_is_missing_once(self):
        for arguments, ranks in ((["run", program.QUICKSTART], None),
                                 (["run", program.QUICKSTART], 3),
                                 (["generate", "--model", "nowhere"], None)):
            stderr = self.vlmark(*arguments, ranks=ranks, exit_code=1).stderr
            line = [text for text in stderr.splitlines() if text.startswith("vlmark: ")]
            self.assertEqual(len(line), 1, stderr)
            self.assertRegex(line[0], rf"^vlmark: {arguments[0]}: on \S+ the driver's library cannot "
                             r"be loaded: libcuda\.so\.1: .+ \(.+\)\. Run it on a node with a GPU")

    def test_a_driver_without_a_device_is_an_error_not_a_crash(self):
        # The toolkit's stub stands in for a driver: it loads, and refuses every call.
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(os.environ["VLMARK_CUDA_STUB"], os.path.join(folder, "libcuda.so.1"))
            path = f"{folder}:{os.environ.get('LD_LIBRARY_PATH', '')}"
            with unittest.mock.patch.dict(os.environ, {"LD_LIBRARY_PATH": path}):
                for arguments, ranks in ((["run", program.QUICKSTART], 2),
                                         (["generate", "--model", "nowhere"], None)):
                    stderr = self.vlmark(*arguments, ranks=ranks, exit_code=1).stderr
                    self.assertEqual(stderr.count("device: Cuda cannot be started"), 1, stderr)
                    self.assertIn("nvidia-smi", stderr)

    def test_usage_errors_need_no_driver(self):
        self.vlmark("run", exit_code=2)


if __name__ == "__main__":
    program.main()
