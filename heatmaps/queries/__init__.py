"""What other rooms and the pages may ask about heatmaps. Nothing here writes."""

from .layers import ONE_A_VENUE, LayerView, has_same_members, read_layers
from .maps import (
    DEFAULT_ESTIMATOR,
    MapSize,
    get_current_heatmap,
    get_heatmap,
    get_heatmaps,
    history_before,
    map_size,
    release_name,
    sum_slug,
)
from .members import MemberMap, MemberShare, MemberShares, member_maps, member_shares, read_column, read_records
from .reach import (
    MOST_LEARNT,
    NOT_LEARNT,
    Reachability,
    get_reach,
    has_grown,
    is_learning_due,
    is_stating_due,
    load_path_bars,
    near_edge,
    reachability,
)
from .scale import measure_scale
from .scores import list_scores, newest_scores
from .slices import Slice, latest_slice, slice_of, within_distance
from .tiles import StoredTile, find_tile, read_codes, read_strip, read_tile, read_tiles
from .zones import decimal_text, get_zone, list_zones, page_zones, zone_evidence, zones_between

__all__ = [
    "DEFAULT_ESTIMATOR",
    "MOST_LEARNT",
    "NOT_LEARNT",
    "ONE_A_VENUE",
    "LayerView",
    "MapSize",
    "MemberMap",
    "MemberShare",
    "MemberShares",
    "Reachability",
    "Slice",
    "StoredTile",
    "decimal_text",
    "find_tile",
    "get_current_heatmap",
    "get_heatmap",
    "get_heatmaps",
    "get_reach",
    "get_zone",
    "has_grown",
    "has_same_members",
    "history_before",
    "is_learning_due",
    "is_stating_due",
    "latest_slice",
    "list_scores",
    "list_zones",
    "load_path_bars",
    "map_size",
    "measure_scale",
    "member_maps",
    "member_shares",
    "near_edge",
    "newest_scores",
    "page_zones",
    "reachability",
    "read_codes",
    "read_column",
    "read_layers",
    "read_records",
    "read_strip",
    "read_tile",
    "read_tiles",
    "release_name",
    "slice_of",
    "sum_slug",
    "within_distance",
    "zone_evidence",
    "zones_between",
]
