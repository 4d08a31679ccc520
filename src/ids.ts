/** The plugin that owns the settings; its name is the schema file's. */
export const PLUGIN_ID = 'qsec-jupyter:plugin';

/** Commands, for the palette, menus, shortcuts and other extensions. */
export namespace CommandIDs {
  export const openPanel = 'qsec:open-panel';
  export const request = 'qsec:request';
  export const approve = 'qsec:approve';
  export const deny = 'qsec:deny';
  export const handBack = 'qsec:hand-back';
  export const runs = 'qsec:runs';
  export const findings = 'qsec:findings';
  export const activity = 'qsec:activity';
  export const extend = 'qsec:extend';
  export const settings = 'qsec:settings';
  export const showFinding = 'qsec:show-finding';
  export const share = 'qsec:share';
}
