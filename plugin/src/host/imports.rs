//! What Envoy provides: proxy-wasm ABI 0.2.1, and two functions of WASI preview 1.
//!
//! Every function returns its status as the plain number it is, so that a number the ABI does not list is still a value.

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    pub(super) fn proxy_log(level: u32, message: *const u8, length: usize) -> u32;

    pub(super) fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max_length: usize,
        data: *mut *mut u8,
        length: *mut usize,
    ) -> u32;
    pub(super) fn proxy_set_buffer_bytes(
        buffer: u32,
        start: usize,
        length: usize,
        data: *const u8,
        data_length: usize,
    ) -> u32;

    pub(super) fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, length: *mut usize) -> u32;
    pub(super) fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_length: usize,
        value: *const u8,
        value_length: usize,
    ) -> u32;
    pub(super) fn proxy_remove_header_map_value(map: u32, name: *const u8, name_length: usize) -> u32;

    pub(super) fn proxy_get_property(
        path: *const u8,
        path_length: usize,
        data: *mut *mut u8,
        length: *mut usize,
    ) -> u32;
    pub(super) fn proxy_set_property(path: *const u8, path_length: usize, value: *const u8, value_length: usize)
    -> u32;
    pub(super) fn proxy_get_shared_data(
        key: *const u8,
        key_length: usize,
        data: *mut *mut u8,
        length: *mut usize,
        cas: *mut u32,
    ) -> u32;
    pub(super) fn proxy_set_shared_data(
        key: *const u8,
        key_length: usize,
        value: *const u8,
        value_length: usize,
        cas: u32,
    ) -> u32;

    pub(super) fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_length: usize,
        body: *const u8,
        body_length: usize,
        headers: *const u8,
        headers_length: usize,
        grpc_status: i32,
    ) -> u32;

    pub(super) fn proxy_grpc_call(
        service: *const u8,
        service_length: usize,
        name: *const u8,
        name_length: usize,
        method: *const u8,
        method_length: usize,
        metadata: *const u8,
        metadata_length: usize,
        message: *const u8,
        message_length: usize,
        timeout: u32,
        token: *mut u32,
    ) -> u32;

    pub(super) fn proxy_define_metric(kind: u32, name: *const u8, name_length: usize, id: *mut u32) -> u32;
    pub(super) fn proxy_increment_metric(id: u32, offset: i64) -> u32;

    pub(super) fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    pub(super) fn proxy_set_effective_context(context: u32) -> u32;
    pub(super) fn proxy_continue_stream(stream: u32) -> u32;

    pub(super) fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    pub(super) fn clock_time_get(clock: u32, precision: u64, time: *mut u64) -> u32;
    pub(super) fn random_get(buffer: *mut u8, length: usize) -> u32;
}
