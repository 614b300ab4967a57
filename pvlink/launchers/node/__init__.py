"""PROCESS: what runs in a job, on the nodes of a cluster. Standard library only, any Python from 3.9; a batch script
carries it there, with the few neighbours it needs (`pvlink/launchers/batch.py`).
"""
