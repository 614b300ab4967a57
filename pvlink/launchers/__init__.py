"""ParaView on a cluster: sites as files describe them, jobs, and the way to what runs in them.

    site (TOML) + what is asked for  ->  order  ->  batch script  ->  shell (here | ssh)  ->  Slurm | a process  ->  job

What decides is pure: `site`, `order`, `batch`, `slurm` and `states` start nothing and look nothing up.
"""
