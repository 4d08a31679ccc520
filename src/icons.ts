import { LabIcon } from '@jupyterlab/ui-components';

import shieldSvg from '../style/icons/shield.svg';

/** A shield with an orbit: the panel, the status bar and the commands. */
export const shieldIcon = new LabIcon({
  name: 'qsec-jupyter:shield',
  svgstr: shieldSvg
});
