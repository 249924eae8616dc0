"""Where untrusted answers run: a process that can compute, and do nothing else.

Two tiers, both proved on the machine at hand by ``doctor`` before anything is graded. Bubblewrap shows the process a
file system that holds the interpreter, the libraries and a small scratch folder, and no network. Where bubblewrap
cannot run, the second tier takes rights away instead: another user (if started as root), Landlock for files, no
privileges to gain. In both, a seccomp filter and resource limits are set from inside, before the learner's first line:
no other process, no thread, no socket, no signal, 1 GiB of memory.
"""
