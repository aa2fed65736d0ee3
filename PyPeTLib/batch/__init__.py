"""Whole studies: each scan of a dataset analysed once, on this machine or on many, whatever fails or is killed.

=============  ==========================================================================
`study`        the way through a study: find, plan, run, record
`fingerprint`  what the results of a scan depend on, as one digest
`attempt`      one scan where it is worked on: what is current stays, what fails is told
`local`        processes of this machine
`cluster`      workers of a Dask cluster
`folder`       the folder of results: one run at a time
`records`      status, log and description: what is written beside the results
`group`        tables and a report of all scans
`leftovers`    one process at a time for each scan, and an end to what killed ones left
`faults`       errors as text that does not tell whose machine it was
=============  ==========================================================================

Nothing is imported here, so that processes that serve others begin quickly.
"""
