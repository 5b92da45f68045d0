"""Jupyter kernels that are forked, because importing what every notebook imports takes seconds.

    python tests/forked_kernel.py SOCKET                    # the server
    python tests/forked_kernel.py SOCKET CONNECTION_FILE    # one kernel: Jupyter starts this

The server imports the kernel, NumPy, Matplotlib and ipywidgets, nothing of the course, and forks
for each kernel. What Jupyter started lives as long as its kernel, and takes it along when it is
killed.
"""

import json
import os
import select
import signal
import socket
import sys


def serve(path: str) -> None:
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # as each kernel sets it
    import ipykernel.kernelapp
    import ipywidgets  # noqa: F401
    import matplotlib.pyplot  # noqa: F401

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        print("ready", flush=True)
        os.dup2(2, 1)  # nobody reads on
        children: dict[int, socket.socket] = {}
        while True:
            ready, _, _ = select.select([listening, sys.stdin, *children.values()], [], [], 0.2)
            for pid, line in list(children.items()):
                if line in ready:  # Jupyter's process was killed
                    os.kill(pid, 9)
                if os.waitpid(pid, os.WNOHANG)[0]:
                    children.pop(pid).close()
            if sys.stdin in ready:  # the tests have ended
                return
            if listening in ready:
                line, _ = listening.accept()
                with line.makefile() as text:
                    order = json.loads(text.readline())
                pid = os.fork()
                if pid == 0:
                    listening.close()
                    os.chdir(order["folder"])
                    os.environ |= order["environment"]
                    parent = f"--IPKernelApp.parent_handle={os.getppid()}"  # ends with the server
                    sys.argv = ["ipykernel_launcher", "-f", order["file"], parent]
                    ipykernel.kernelapp.launch_new_instance()
                    os._exit(0)
                children[pid] = line


def start(path: str, file: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Jupyter's way to begin to end a kernel
    order = {"folder": os.getcwd(), "file": file, "environment": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        line.sendall(json.dumps(order).encode() + b"\n")
        line.recv(1)  # until the kernel has ended


if __name__ == "__main__":
    serve(sys.argv[1]) if len(sys.argv) == 2 else start(*sys.argv[1:])
