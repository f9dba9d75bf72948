"""Where jobs run: in processes of the server, or on the cluster that the settings name."""

import importlib
import importlib.util
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from tilt.errors import ArgumentError
from tilt.jobs.desk import OpenWorkers
from tilt.settings import Settings

if TYPE_CHECKING:
    from tilt.jobs.cluster import Certificates


def workers(settings: Settings) -> OpenWorkers | None:
    """Return what opens the workers of the cluster, connected; None where jobs run here.

    Raises
    ------
    ArgumentError
        If the cluster's package is not installed.
    DataError
        If no scheduler answers.
    """
    if settings.cluster == "local":
        return None
    cluster = cluster_module()
    client = cluster.connect(settings.cluster, certificates(settings))
    opened: OpenWorkers = partial(cluster.Cluster, client)
    return opened


def threads(settings: Settings) -> int:
    """Return how many jobs the cluster runs at once; raises what ``workers`` raises."""
    with cluster_module().connect(settings.cluster, certificates(settings)) as client:
        return sum(client.nthreads().values())


def certificates(settings: Settings) -> "Certificates | None":
    """Return the files for an encrypted cluster; None for one on loopback."""
    ca, certificate, key = settings.cluster_ca, settings.cluster_cert, settings.cluster_key
    if ca is None or certificate is None or key is None:
        return None
    found: Certificates = cluster_module().Certificates(ca, certificate, key)
    return found


def cluster_module() -> ModuleType:
    """Return ``tilt.jobs.cluster``, whose package is large and not everybody's."""
    if importlib.util.find_spec("distributed") is None:
        raise ArgumentError(
            "TILT_CLUSTER needs the package 'distributed'. Install Tilt with its extra 'cluster', "
            "or set TILT_CLUSTER=local."
        )
    return importlib.import_module("tilt.jobs.cluster")
