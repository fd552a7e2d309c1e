"""What leaves the record: bundles that anybody can check offline, answers to persons and to complaints, tables for analysis."""
