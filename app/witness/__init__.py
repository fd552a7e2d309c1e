"""The witness: a small service that remembers what a log has said, cosigns what goes on from it, and refuses everything else.

It speaks C2SP tlog-witness. It should run where the log's operator cannot change it: another machine, other people.
"""
