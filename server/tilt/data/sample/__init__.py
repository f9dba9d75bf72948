"""The embedded sample: US large caps, 2011 to mid-2017, in files beside this one."""
